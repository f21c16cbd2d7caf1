"""TensorFlow Serving's REST and KServe v1, answered by the client the tests write."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.unit.gateway.conftest import RECORD, Caller, FakeClient

from scurry.client.answers import Answer
from scurry.gateway.ask import Ask
from scurry.gateway.doors import background
from scurry.gateway.doors.tf_serving import TensorFlowServing
from scurry.gateway.models import Models
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import to_array, to_tensor


class TfCaller(Caller):
    """Calls this door."""

    def __init__(self, client: FakeClient) -> None:
        super().__init__(client)
        self.tf = TensorFlowServing(Ask(client, max_in_flight=2, timeout_s=30.0), Models(client))
        self.door: Any = self.tf


@pytest.fixture
def call(client: FakeClient) -> TfCaller:
    """The door, called as a function."""
    return TfCaller(client)


async def test_predict_in_rows_and_columns(call: TfCaller, client: FakeClient) -> None:
    """The model sees its own type, the caller the format it asked in."""
    reply, told = await call("POST", "/v1/models/m:predict", {"instances": [[1, 2], [3, 4]]})
    assert (reply.status, told) == (200, {"predictions": [[1.0, 2.0], [3.0, 4.0]]})
    assert b"Content-Type: application/json" in reply.head
    assert client.asked[-1][1].inputs[0].datatype == "FP32"
    _, told = await call("POST", "/v1/models/m:predict", {"inputs": {"x": [[1, 2]]}})
    assert told == {"outputs": [[1.0, 2.0]]}


@pytest.mark.parametrize(("path", "version"), [("", ""), ("/versions/1", "1"), ("/labels/best", "best")])
async def test_versions_and_labels(call: TfCaller, client: FakeClient, path: str, version: str) -> None:
    """Travel on as they are: the router knows what they mean."""
    headers = {"Scurry-Key": "k", "X-Scurry-Tenant": "t", "traceparent": "00-1"}
    body = {"instances": [[1, 2]], "parameters": {"timeout": 5_000_000, "priority": 2, "sequence_id": 3}}
    reply, _ = await call("POST", f"/v1/models/m{path}:predict", body, **headers)
    assert reply.status == 200
    _, request, options = client.asked[-1]
    assert options["version"] == version
    beside = {name: options[name] for name in ("key", "tenant", "traceparent", "timeout", "priority")}
    assert beside == {"key": "k", "tenant": "t", "traceparent": "00-1", "timeout": 5.0, "priority": 2}
    assert list(request.parameters) == ["sequence_id"]


async def test_classify_and_regress(call: TfCaller, client: FakeClient) -> None:
    """Examples in, pairs or values out."""

    async def ask(model: str, request: InferRequest, **_: Any) -> Answer:
        x = to_array(request.inputs[0])
        labels = np.array([["no", "yes"]] * len(x), dtype=object)
        outputs = [to_tensor("scores", x), to_tensor("classes", labels)]
        return Answer(model, "1", InferReply(outputs=outputs[: x.shape[1]]))

    client.ask = ask  # type: ignore[method-assign]
    body = {"examples": [{"x": [0.25, 0.75]}], "signature_name": "serving_default"}
    _, told = await call("POST", "/v1/models/m:classify", body)
    assert told == {"results": [[["no", 0.25], ["yes", 0.75]]]}
    reply, told = await call("POST", "/v1/models/m:regress", body)
    assert (reply.status, told["code"]) == (400, "bad_request")
    one = {"name": "x", "datatype": "FP32", "shape": [-1, 1]}
    client.records["one"] = {"versions": [{"version": "1", "state": "ready", "signature": {"inputs": [one]}}]}
    body = {"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.5}, {"x": 2}]}
    _, told = await call("POST", "/v1/models/one:regress", body)
    assert told == {"results": [1.5, 2.0]}


async def test_what_is_told_of_models(call: TfCaller) -> None:
    """Status, metadata, the list, and that the server lives."""
    _, told = await call("GET", "/v1/models/m/labels/best")
    assert [one["version"] for one in told["model_version_status"]] == ["1"]
    assert (await call("GET", "/v1/models/m"))[1]["ready"] is True
    _, told = await call("GET", "/v1/models/m/versions/1/metadata")
    assert told["model_spec"]["version"] == "1"
    assert (await call("GET", "/v1/models"))[1] == {"models": ["m"]}
    assert (await call("GET", "/"))[1] == {"status": "alive"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/models/nobody:predict", 404, "model_not_found"),
        ("GET", "/v1/models/nobody", 404, "model_not_found"),
        ("POST", "/v1/models/m/versions/9:predict", 404, "version_not_found"),
        ("POST", "/v1/models/m/labels/1:predict", 404, "version_not_found"),
        ("GET", "/v1/models/a%20b", 404, "model_not_found"),
        ("POST", "/v1/models/m:explain", 400, "bad_request"),
        ("POST", "/v1/models/m:train", 404, "bad_request"),
        ("GET", "/v1/models/m:predict", 405, "bad_request"),
    ],
)
async def test_what_there_is_not(call: TfCaller, method: str, path: str, status: int, code: str) -> None:
    """In TensorFlow Serving's form, with our code beside it."""
    reply, told = await call(method, path, {"instances": [[1, 2]]} if method == "POST" else b"")
    assert (reply.status, told["code"], sorted(told)) == (status, code, ["code", "error"])


async def test_a_version_that_has_come_just_now(call: TfCaller, client: FakeClient) -> None:
    """Is not refused because the view that is remembered does not have it."""
    assert (await call("GET", "/v1/models/m/versions/3"))[0].status == 404
    versions = [*RECORD["versions"], {**RECORD["versions"][0], "version": "3"}]
    client.records["m"] = RECORD | {"versions": versions, "aliases": {"new": "3"}}
    assert (await call("GET", "/v1/models/m/versions/3"))[0].status == 200
    reply, _ = await call("POST", "/v1/models/m/labels/new:predict", {"instances": [[1, 2]]})
    assert reply.status == 200


async def test_what_fails_is_told_without_a_trace(
    call: TfCaller, client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A code that came back has its status; a fault of ours is in the log only."""
    client.failure = error("overloaded", "Try again.")
    reply, told = await call("POST", "/v1/models/m:predict", {"instances": [[1, 2]]})
    assert (reply.status, told["code"]) == (503, "overloaded")
    assert b"Retry-After" in reply.head
    client.failure = ZeroDivisionError("secret")
    reply, told = await call("POST", "/v1/models/m:predict", {"instances": [[1, 2]]})
    assert (reply.status, told["code"]) == (500, "internal")
    assert "secret" not in told["error"]
    assert "secret" in caplog.text


async def test_large_tensors_and_large_json(
    call: TfCaller, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Are parked, and read and written off the loop, the room for it given back."""
    monkeypatch.setattr(background, "AT_ONCE", 1000)
    rows = [[float(number), 0.5] for number in range(4000)]
    reply, told = await call("POST", "/v1/models/m:predict", {"instances": rows})
    assert (reply.status, told["predictions"]) == (200, rows)
    assert client.asked[-1][1].inputs[0].payload
    assert repr(call.admission).startswith("<Admission 0 of")


async def test_json_for_which_there_is_no_memory(call: TfCaller, client: FakeClient) -> None:
    """Is refused before it is read."""
    body = b'{"instances": [' + b"[1,2]," * 100_000 + b"[1,2]]}"
    with call.admission.room() as room:
        room.take(60 * 1024 * 1024)
        reply, told = await call("POST", "/v1/models/m:predict", body)
    assert (reply.status, told["code"]) == (503, "overloaded")
    assert client.asked == []


async def test_nan_goes_both_ways(call: TfCaller) -> None:
    """As a bare word."""
    with pytest.raises(ValueError, match="JSON"):  # the test's own reader is strict
        await call("POST", "/v1/models/m:predict", b'{"instances": [[NaN, Infinity]]}')
    body = json.dumps({"instances": [[float("nan"), 1]]}).encode()
    with call.admission.room() as room:
        from scurry.gateway.doors.entrance import answered
        from scurry.gateway.doors.heads import Head

        reply = await answered(call.tf, Head("POST", "/v1/models/m:predict", {}, len(body), True), body, room)
    assert reply.parts == [b'{"predictions":[[NaN,1.0]]}']
    assert repr(call.tf) == "<TensorFlowServing <Ask 0 of 2 in flight>>"
