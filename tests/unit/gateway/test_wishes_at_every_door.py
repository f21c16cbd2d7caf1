"""A wish is honoured or refused by every operation that infers, and never passed over."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.unit.gateway import later

from scurry.gateway import contract
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import scopes
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.heads import Head, has_wishes
from scurry.gateway.doors.results import document
from scurry.gateway.limits import Admission
from scurry.serving.doors import Doors
from scurry.serving.guards import Guards
from scurry.settings import GatewaySettings

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.client.client import Client

redis, job, client = later.redis, later.job, later.client

DOCUMENT: dict[str, Any] = orjson.loads(contract.openapi())
NAMES = {"model": "m", "version": "1", "label": "best"}
REFUSING = ("/predict", ":explain")
"""How paths end where no wish is honoured: of Cluster Serving, and what is no inference of ours."""
ASYNC, KEY = {"Prefer": "respond-async"}, {"Idempotency-Key": "k"}
ONE_VALUE = [{"examples": [{"x": [1]}]}, {"examples": [{"x": [2]}]}]


def target_of(path: str) -> str:
    """The path with names for its parameters."""
    return re.sub(r"\{(\w+)\}", lambda found: NAMES.get(found[1], "1"), path)


INFERRING = [
    path
    for path, item in DOCUMENT["paths"].items()
    if "post" in item and scopes.scope_of("POST", target_of(path)).scope == "infer"
]
"""By the scope that they need: a door that is added is here as well."""
HONOURING = [path for path in INFERRING if not path.endswith(REFUSING)]


def bodies(path: str) -> list[bytes]:
    """Two requests that differ: the document's example, and the same with another number."""
    if path.endswith(":regress"):
        return list(map(orjson.dumps, ONE_VALUE))
    body = DOCUMENT["paths"][path]["post"].get("requestBody", {"content": {"application/json": {}}})
    example = orjson.dumps(body["content"]["application/json"].get("example", {}))
    return [example, example.replace(b"2,3]", b"2,4]")]


class Caller:
    """Calls all doors of a gateway as one."""

    def __init__(self, client: Client) -> None:
        settings = GatewaySettings(callbacks="https://example.com/in/", callback_secret="secret")
        self.doors = Doors(client, settings, Guards.of(settings))
        self.admission = Admission(1 << 26)
        self.door = self.doors.http()

    async def __call__(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        head = Head(method, target, named, len(body), True, has_wishes(named))
        with self.admission.room() as room:
            reply = await answered(self.door, head, body, room)
        return reply.status, orjson.loads(reply.parts[0])


@pytest.fixture
async def call(client: Client, job: Job) -> AsyncIterator[Caller]:
    """A gateway before one model, which gives back what it takes."""
    port = {"name": "x", "datatype": "FP32", "shape": [-1, -1]}
    one = {"version": "1", "state": "ready", "signature": {"inputs": [port]}}
    record = {"versions": [one], "routes": {"1": 1}, "aliases": {"best": "1"}}
    job.redis.hashes[b"scurry:models"] = [b"m", orjson.dumps(record)]
    made = Caller(client)
    yield made
    await made.doors.callbacks.close()
    await made.doors.results.close()


def test_every_operation_that_infers_is_tried() -> None:
    """Each door has some; the table above is not empty by mistake."""
    assert {path.split("/")[1] for path in INFERRING} == {"v1", "v2", "models", "predict"}
    assert {path.split("/")[1] for path in HONOURING} == {"v1", "v2"}


@pytest.mark.parametrize("path", HONOURING)
def test_the_document_tells_it(path: str) -> None:
    """The headers, and that the answer may be 202."""
    operation = DOCUMENT["paths"][path]["post"]
    told = {each.get("$ref", "").rpartition("/")[2] for each in operation["parameters"]}
    assert {"prefer", "idempotency", "callback"} <= told
    assert operation["responses"]["202"] == {"$ref": "#/components/responses/Later"}


@pytest.mark.parametrize("path", HONOURING)
async def test_later(call: Caller, job: Job, path: str) -> None:
    """202, and the answer as it would have been."""
    target, (body, _) = target_of(path), bodies(path)
    status, told = await call("POST", target, body, **ASYNC)
    assert (status, told["status"], len(job.fields)) == (202, "running", 1)
    assert await call("GET", f"{told['location']}?wait=5") == await call("POST", target, body)
    assert (await call("DELETE", told["location"]))[0] == 200
    assert (await call("GET", told["location"]))[0] == 404


@pytest.mark.parametrize("path", HONOURING)
async def test_once_for_a_key(call: Caller, job: Job, path: str) -> None:
    """The same again is answered the same and asked as the same request; with another body it is a conflict."""
    target, (body, other) = target_of(path), bodies(path)
    first = await call("POST", target, body, **KEY)
    assert (first[0], await call("POST", target, body, **KEY)) == (200, first)
    assert len({fields[b"id"] for fields in job.fields}) == 1
    status, told = await call("POST", target, body, **KEY, **ASYNC)
    assert (status, told["status"]) == (202, "done")
    for wish in (KEY, KEY | ASYNC):
        status, told = await call("POST", target, other, **wish)
        assert (status, told["code"]) == (422, "id_conflict")


@pytest.mark.parametrize("path", HONOURING)
async def test_call_backs(call: Caller, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are promised where they are allowed, and refused elsewhere."""
    promised: list[str] = []
    monkeypatch.setattr(Callbacks, "promise", lambda _, request_id, scope, url: promised.append(url))
    target, (body, _) = target_of(path), bodies(path)
    for url, status in (("https://example.com/in/1", 202), ("https://example.com/out", 403)):
        assert (await call("POST", target, body, **ASYNC, Scurry_Callback=url))[0] == status
    assert promised == ["https://example.com/in/1"]


@pytest.mark.parametrize("path", [path for path in INFERRING if path not in HONOURING])
@pytest.mark.parametrize("wish", [ASYNC, KEY, ASYNC | KEY], ids=["later", "once", "both"])
async def test_refused(call: Caller, job: Job, path: str, wish: dict[str, str]) -> None:
    """With the header's name, before anything is asked; without a wish as ever."""
    target, (body, _) = target_of(path), bodies(path)
    status, told = await call("POST", target, body, **wish)
    assert (status, job.fields) == (400, [])
    if not path.endswith(":explain"):
        assert told["code"] == "not_offered"
        assert next(iter(wish)) in told["error"]
        assert (await call("POST", target, body, Prefer="return=minimal"))[0] == 200


@pytest.mark.parametrize("path", [path for path in INFERRING if not path.endswith(":explain")])
@pytest.mark.parametrize("wish", [{"Idempotency_Key": " "}, {"Scurry_Callback": "https://example.com/in/"}])
async def test_wishes_that_are_none_are_refused(call: Caller, job: Job, path: str, wish: dict[str, str]) -> None:
    """By the header's name, at every door."""
    status, told = await call("POST", target_of(path), bodies(path)[0], **wish)
    assert (status, told["code"], job.fields) == (400, "bad_request", [])
    assert next(iter(wish)).replace("_", "-") in told["error"]


async def test_a_v1_answer_in_an_event(call: Caller) -> None:
    """In its own words; NaN, which JSON does not know, is to be fetched."""
    for text, result in ((b"1", {"predictions": [[1.0]]}), (b"NaN", None)):
        _, told = await call("POST", "/v1/models/m:predict", b'{"instances": [[%b]]}' % text, **ASYNC)
        results = call.doors.results
        event = orjson.loads(await document(results, told["id"], await results.look(told["id"])))
        assert event.get("result") == result
        assert ("location" in event) == (result is None)


async def test_a_body_that_is_none_is_refused_at_once(call: Caller, job: Job) -> None:
    """Its memory is given back, and nothing waits for an answer that never comes."""
    for target in ("/v1/models/m:predict", "/v2/models/m/infer"):
        for wish in (ASYNC, KEY):
            assert (await call("POST", target, b"{", **wish))[0] == 400
    assert (job.fields, repr(call.admission).startswith("<Admission 0 of")) == ([], True)
