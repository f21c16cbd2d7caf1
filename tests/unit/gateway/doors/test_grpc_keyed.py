"""ModelInfer with a key, before a Redis in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from tests.unit.gateway import later
from tests.unit.gateway.doors.line import Line, Reply
from tests.unit.gateway.later import gateway

from scurry.gateway.access import Access
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import grpc_keyed
from scurry.gateway.doors.deferred import Deferred
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.grpc import OpenInferenceGrpc
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_keyed import KeyedInference
from scurry.gateway.doors.grpc_operations import Operations
from scurry.gateway.doors.grpc_state import StateOperations
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.gateway.doors.heads import Head, has_wishes
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.results import document
from scurry.gateway.health import Health
from scurry.gateway.models import Models
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.repository import Repository
from scurry.gateway.server_settings import ServerSettings
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols.oip_pb2 import ModelInferRequest, ModelInferResponse
from scurry.wire.names import CLAIM_CHECK_BYTES

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.client.client import Client
    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results
KEY = {"idempotency_key": "order-4711"}


def line_of(client: Client, results: Results, access: Access | None = None) -> Line:
    """A connection that has greeted, to a gateway's door with keys."""
    models, ask = Models(client), Ask(client, max_in_flight=10, timeout_s=5.0)
    state = ServerState(SharedMemory(OwnNotes(), allowed=True), ServerSettings())
    placing = Placing(state.memory, models)
    repository = Repository(Admin(client, key="", host="127.0.0.1"), models)
    operations = Operations(models, Health(client), repository, state.server)
    keyed = KeyedInference(results, placing, access)
    inference = GrpcInference(ask, placing, access)
    line = Line(OpenInferenceGrpc(inference, operations, StateOperations(models, state), access, keyed=keyed))
    line.greet()
    return line


@pytest.fixture
async def line(client: Client, results: Results) -> Line:
    """Before anybody."""
    return line_of(client, results)


def asked(*numbers: int, model: str = "m", **fields: Any) -> ModelInferRequest:
    """A request with one tensor."""
    array = np.array(numbers, "<i4")
    request = ModelInferRequest(model_name=model, raw_input_contents=[array.tobytes()], **fields)
    request.inputs.add(name="x", datatype="INT32", shape=[len(numbers)])
    return request


async def infer(line: Line, request: ModelInferRequest, **metadata: str) -> Reply:
    """What a call came to."""
    return await line.call("ModelInfer", request.SerializeToString(), **(metadata or KEY))


async def test_the_same_is_asked_once(line: Line, job: Job, client: Client) -> None:
    """At any gateway; the protocol's own id is the caller's to change. With other bytes it is refused."""
    first = await infer(line, asked(1, 2, id="a"))
    again = await infer(line_of(client, gateway(client)), asked(1, 2, id="b"))
    one, other = (ModelInferResponse.FromString(each.messages[0]) for each in (first, again))
    assert one.raw_output_contents == other.raw_output_contents == [np.array([1, 2], "<i4").tobytes()]
    assert (one.id, other.id, len(job.fields)) == ("a", "b", 1)
    conflict = await infer(line, asked(1, 3))
    assert (conflict.status, "with another request" in conflict.text) == ("6", True)
    assert [one.code for one in line.noted] == ["ok", "id_conflict"]
    assert line.noted[0].request == job.fields[0][b"id"].decode()
    await infer(line, asked(1, 3), idempotency_key="another")
    assert len(job.fields) == 2


async def test_a_key_is_the_same_over_http(line: Line, job: Job, client: Client, results: Results) -> None:
    """What was asked over one is known over the other, in that one's words."""
    await infer(line, asked(1, 2))

    async def tell(request_id: str, found: Any) -> bytes:
        return await document(results, request_id, found)

    deferred = Deferred(results, Callbacks(results, tell))
    ask, admin = Ask(client, max_in_flight=10, timeout_s=5.0), Admin(client, key="", host="127.0.0.1")
    door = OpenInferenceHttp(ask, Models(client), Health(client), admin, deferred=deferred)
    headers = {"Idempotency-Key": KEY["idempotency_key"]}

    async def post(*numbers: int) -> Any:
        tensor = {"name": "x", "datatype": "INT32", "shape": [2], "data": numbers}
        head = Head("POST", "/v2/models/m/infer", headers, 9, True, has_wishes(headers))
        return await answered(door, head, orjson.dumps({"inputs": [tensor]}), line.admission.room())

    reply = await post(1, 2)
    assert (reply.status, len(job.fields)) == (200, 1)
    assert orjson.loads(reply.parts[0])["outputs"][0]["data"] == [1, 2]
    assert (await post(1, 3)).code == "id_conflict"


async def test_large_tensors_are_held_to_their_bytes(line: Line, job: Job) -> None:
    """They are parked under a digest."""
    numbers = [7] * CLAIM_CHECK_BYTES
    assert (await infer(line, asked(*numbers))).status == "0"
    assert len(job.fields) == 1
    numbers[-1] = 8
    assert (await infer(line, asked(*numbers))).status == "6"


async def test_typed_contents_that_are_large_are_read_aside(
    line: Line, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are the same as raw ones."""
    monkeypatch.setattr(grpc_keyed, "AT_ONCE", 4)
    request = ModelInferRequest(model_name="m")
    request.inputs.add(name="x", datatype="INT32", shape=[2]).contents.int_contents.extend([1, 2])
    assert (await infer(line, request)).status == "0"
    assert (await infer(line, asked(1, 2))).status == "0"
    assert len(job.fields) == 1


@pytest.mark.parametrize("name", ["prefer", "scurry_callback"])
async def test_what_only_http_grants_is_refused(line: Line, job: Job, name: str) -> None:
    """With or without a key."""
    for more in ({}, KEY):
        reply = await infer(line, asked(1), **{name: "respond-async"}, **more)
        assert (reply.status, "over HTTP" in reply.text) == ("12", True)
    assert job.fields == []


async def test_outputs_as_classes_are_refused(line: Line, job: Job) -> None:
    """As over HTTP: a kept answer has none."""
    request = asked(1)
    request.outputs.add(name="x").parameters["classification"].int64_param = 1
    reply = await infer(line, request)
    assert (reply.status, "idempotency-key" in reply.text) == ("12", True)
    assert job.fields == []


async def test_what_cannot_be_read_or_named_is_refused(line: Line) -> None:
    """By the codes that it has without a key."""
    assert (await line.call("ModelInfer", b"\xff\xff", **KEY)).status == "3"
    assert (await infer(line, asked(1, model="a b"))).status == "5"
    assert (await infer(line, asked(1), idempotency_key="k" * 256)).status == "3"
    assert (await infer(line, asked(1), idempotency_key=" ")).status == "3"
    short = asked(1, 2)
    short.inputs[0].shape[0] = 3
    assert (await infer(line, short)).status == "3"
    assert "<Admission 0 " in repr(line.admission)


async def test_keys_belong_to_the_api_key(client: Client, results: Results, job: Job, tmp_path: Path) -> None:
    """Two callers do not meet; the tenant is the key's, and it says for which model."""
    rows = ("one a-key-of-sixteen-1 infer models=m tenant=blue", "two a-key-of-sixteen-2 infer")
    (tmp_path / "keys").write_text("\n".join(rows) + "\n")
    line = line_of(client, results, Access(str(tmp_path / "keys")))
    for number in ("1", "2", "1"):
        assert (await infer(line, asked(int(number)), x_api_key=f"a-key-of-sixteen-{number}", **KEY)).status == "0"
    assert [fields.get(b"tenant") for fields in job.fields] == [b"blue", None]
    assert (await infer(line, asked(1))).status == "16"
    assert (await infer(line, asked(1, model="n"), x_api_key="a-key-of-sixteen-1", **KEY)).status == "7"
