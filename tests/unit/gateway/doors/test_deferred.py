"""Inference for later and with keys, asked of the door as a function."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.unit.gateway import later
from tests.unit.gateway.later import gateway

from scurry.gateway.access import Caller
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import background, forms
from scurry.gateway.doors.deferred import Deferred
from scurry.gateway.doors.entrance import Entrance, answered
from scurry.gateway.doors.heads import Head, has_wishes
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.doors.results import PREFIX, ResultsHttp, document
from scurry.gateway.health import Health
from scurry.gateway.limits import Admission
from scurry.gateway.models import Models
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import SharedMemory
from scurry.wire.infer_pb2 import InferRequest

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.client.client import Client
    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results
TENSOR = {"name": "x", "datatype": "INT32", "shape": [2], "data": [1, 2]}
BODY = {"id": "mine", "inputs": [TENSOR]}
ASYNC = {"Prefer": "respond-async"}
TARGET = "/v2/models/m/infer"


class Doors:
    """A gateway's doors to inference and results."""

    def __init__(self, client: Client, results: Results, memory: SharedMemory | None = None) -> None:
        async def tell(request_id: str, found: Any) -> bytes:
            return await document(results, request_id, found)

        ask = Ask(client, max_in_flight=10, timeout_s=5.0)
        admin = Admin(client, key="", host="127.0.0.1")
        made = Deferred(results, Callbacks(results, tell))
        state = ServerState.private()
        state = state._replace(memory=memory or state.memory)
        oip = OpenInferenceHttp(ask, Models(client), Health(client), admin, state=state, deferred=made)
        self.admission = Admission(1 << 26)
        self.door = Entrance(oip, {PREFIX: ResultsHttp(results)})

    async def __call__(
        self, method: str, target: str, body: Any = b"", headers: dict[str, str] | None = None, scope: str = ""
    ) -> HttpReply:
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        head = Head(method, target, headers or {}, len(sent), True, has_wishes(headers or {}), Caller(scope))
        room = self.admission.room()
        room.hold_body(len(sent))
        reply = await answered(self.door, head, sent, room)
        room.give_back_all()
        return reply


@pytest.fixture
def doors(client: Client, results: Results) -> Doors:
    """The doors, called as a function."""
    return Doors(client, results)


def json_of(reply: HttpReply) -> Any:
    """Its first part."""
    return orjson.loads(reply.parts[0])


async def test_what_is_submitted_is_found_where_it_was_said(doors: Doors, job: Job) -> None:
    """202 with Location and Retry-After; then the answer as it would have been."""
    reply = await doors("POST", TARGET, BODY, ASYNC)
    told = json_of(reply)
    assert (reply.status, told["status"]) == (202, "running")
    assert f"Location: {told['location']}\r\n".encode() in reply.head
    assert b"Retry-After: 1\r\n" in reply.head
    assert job.fields[0][b"id"].decode() == told["id"]
    waited = await doors("POST", TARGET, BODY)
    fetched = await doors("GET", told["location"])
    assert (fetched.status, fetched.parts) == (200, waited.parts)
    assert json_of(fetched)["id"] == "mine"


async def test_binary_outputs_are_fetched_as_such(doors: Doors) -> None:
    """The form is remembered, whoever fetches."""
    head = orjson.dumps({
        "inputs": [{**TENSOR, "data": None, "parameters": {"binary_data_size": 8}}],
        "parameters": {"binary_data_output": True},
    }).replace(b'"data":null,', b"")  # fmt: skip
    raw = struct.pack("<2i", 5, 6)
    headers = ASYNC | {"Inference-Header-Content-Length": str(len(head))}
    told = json_of(await doors("POST", TARGET, head + raw, headers))
    fetched = await doors("GET", f"{told['location']}?wait=5")
    assert b"Inference-Header-Content-Length" in fetched.head
    assert fetched.parts[1] == raw


async def test_under_way_is_202_again(doors: Doors, job: Job) -> None:
    """Until it is answered; a long poll is answered then."""
    job.answers = False
    where = json_of(await doors("POST", TARGET, BODY, ASYNC))["location"]
    assert (await doors("GET", where)).status == 202
    assert (await doors("GET", f"{where}?wait=0.01")).status == 202
    polling = asyncio.create_task(doors("GET", f"{where}?wait=30"))
    await asyncio.sleep(0.01)
    assert not polling.done()
    job.answer()
    assert (await polling).status == 200


async def test_who_prefers_to_wait_a_little_may_be_answered_at_once(doors: Doors, job: Job) -> None:
    """`wait` of RFC 7240."""
    wish = {"Prefer": "respond-async, wait=5"}
    assert (await doors("POST", TARGET, BODY, wish)).status == 200
    job.answers = False
    waiting = asyncio.create_task(doors("POST", TARGET, BODY, {"Prefer": "respond-async, wait=1"}))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert (await waiting).status == 202


async def test_a_key_is_answered_once(doors: Doors, client: Client, job: Job) -> None:
    """In JSON or binary, waiting or not; another body is 422, another scope another request."""
    key = {"Idempotency-Key": "k"}
    first = await doors("POST", TARGET, BODY, key)
    again = await Doors(client, gateway(client))("POST", TARGET, BODY, key)
    assert (first.status, first.parts) == (200, again.parts)
    assert len({fields[b"id"] for fields in job.fields}) == 1
    told = json_of(await doors("POST", TARGET, BODY, key | ASYNC))
    assert (told["status"], told["id"].encode()) == ("done", job.fields[0][b"id"])
    assert (await doors("GET", told["location"])).parts == first.parts
    other = {"inputs": [{**TENSOR, "data": [1, 3]}]}
    for headers in (key, key | ASYNC):
        refused = await doors("POST", TARGET, other, headers)
        assert (refused.status, json_of(refused)["code"]) == (422, "id_conflict")
    assert (await doors("POST", TARGET, other, key, scope="acme")).status == 200
    assert (await doors("GET", told["location"], scope="acme")).status == 404


async def test_a_key_is_held_to_parked_bytes_too(doors: Doors) -> None:
    """Large tensors of one size are told apart."""
    large = {"name": "x", "datatype": "INT32", "shape": [4000], "data": [1] * 4000}
    key = {"Idempotency-Key": "large"} | ASYNC
    assert (await doors("POST", TARGET, {"inputs": [large]}, key)).status == 202
    assert (await doors("POST", TARGET, {"inputs": [large]}, key)).status == 202
    refused = await doors("POST", TARGET, {"inputs": [{**large, "data": [1] * 3999 + [2]}]}, key)
    assert refused.status == 422


async def test_parameters_in_another_order_are_the_same(doors: Doors, job: Job) -> None:
    """A map has none."""
    key = {"Idempotency-Key": "order"}
    names = [f"p{number}" for number in range(8)]
    for order in (names, names[::-1]):
        reply = await doors("POST", TARGET, BODY | {"parameters": dict.fromkeys(order, 1)}, key)
        assert reply.status == 200
    assert len({fields[b"request"] for fields in job.fields}) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", ASYNC, 400),
        (BODY, {"Idempotency-Key": ""}, 400),
        (BODY, ASYNC | {"Scurry-Callback": "https://example.com/"}, 403),
        (BODY, {"Scurry-Callback": "https://example.com/"}, 400),
        (BODY, ASYNC | {"X-Scurry-Tenant": "ä"}, 400),
        (BODY | {"parameters": {"timeout": -1}}, ASYNC, 400),
    ],
)
async def test_what_cannot_be_asked_is_said_at_once(
    doors: Doors, job: Job, body: Any, headers: dict[str, str], status: int
) -> None:
    """Nothing is submitted; all memory is given back."""
    reply = await doors("POST", TARGET, body, headers)
    assert reply.status == status
    assert json_of(reply)["error"]
    assert job.fields == []
    assert "0 of" in repr(doors.admission)


async def test_other_preferences_change_nothing(doors: Doors, job: Job) -> None:
    """It is asked as if there were none: nothing is kept."""
    assert (await doors("POST", TARGET, BODY, {"Prefer": "return=minimal"})).status == 200
    assert job.fields[0][b"keep"] == b"0"


async def test_large_json_is_read_and_written_off_the_loop(
    doors: Doors, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answer; its memory is admitted."""
    monkeypatch.setattr(forms, "AT_ONCE", 10)
    monkeypatch.setattr(background, "AT_ONCE", 10)
    told = json_of(await doors("POST", TARGET, BODY, ASYNC))
    assert json_of(await doors("GET", told["location"]))["outputs"][0]["data"] == [1, 2]
    assert InferRequest.FromString(job.fields[0][b"request"]).inputs[0].name == "x"
    assert "0 of" in repr(doors.admission)


@pytest.mark.parametrize("wish", [ASYNC, {"Idempotency-Key": "k"}, ASYNC | {"Prefer": "respond-async, wait=5"}])
@pytest.mark.parametrize("form", [{"classification": 1}, {"shared_memory_region": "r", "shared_memory_byte_size": 8}])
async def test_forms_that_are_not_remembered_are_refused(
    doors: Doors, job: Job, wish: dict[str, str], form: dict[str, Any]
) -> None:
    """Whoever wants classes is not given numbers in their place."""
    body = BODY | {"outputs": [{"name": "x", "parameters": form}]}
    reply = await doors("POST", TARGET, body, wish)
    assert (reply.status, json_of(reply)["code"], job.fields) == (400, "not_offered", [])


async def test_inputs_come_by_every_way(client: Client, results: Results, job: Job, tmp_path: Path) -> None:
    """From shared memory, and as a body that is the model's only input."""
    raw = struct.pack("<2i", 5, 6)
    (tmp_path / "piece").write_bytes(raw)
    memory = SharedMemory(OwnNotes(), allowed=True, folder=tmp_path)
    memory.register("r", "piece", 0, 8)
    doors = Doors(client, results, memory)
    place = {"shared_memory_region": "r", "shared_memory_byte_size": 8}
    shared = {"inputs": [{"name": "x", "datatype": "INT32", "shape": [2], "parameters": place}]}
    assert (await doors("POST", TARGET, shared, ASYNC)).status == 202
    port = {"name": "x", "datatype": "INT32", "shape": [2]}
    record = {"versions": [{"version": "1", "state": "ready", "signature": {"inputs": [port]}}], "routes": {"1": 1}}
    job.redis.hashes[b"scurry:models"] = [b"m", orjson.dumps(record)]
    assert (await doors("POST", TARGET, raw, ASYNC | {"Inference-Header-Content-Length": "0"})).status == 202
    for fields in job.fields:
        assert InferRequest.FromString(fields[b"request"]).inputs[0].data == raw
    assert len(job.fields) == 2
    page = await doors("POST", TARGET, shared, ASYNC | {"Origin": "https://elsewhere"})
    assert (page.status, json_of(page)["code"]) == (403, "not_allowed")
