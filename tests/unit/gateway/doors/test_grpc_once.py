"""Keys over gRPC: the first answer again, by either door, or a refusal by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.unit.gateway import later
from tests.unit.gateway.doors.line import Line, door_of
from tests.unit.gateway.doors.test_deferred import Doors

from scurry.gateway.access import Access
from scurry.gateway.ask import Ask
from scurry.gateway.doors import grpc_inference
from scurry.gateway.doors.cluster_grpc import SERVICE, ClusterGrpc
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.models import Models
from scurry.protocols import front_end_pb2 as words
from scurry.protocols.oip_pb2 import ModelInferRequest, ModelInferResponse, ModelStreamInferResponse

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.client.client import Client
    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results
KEY = {"idempotency_key": "k"}


def asked(*numbers: int, **fields: Any) -> ModelInferRequest:
    """A request with one tensor."""
    request = ModelInferRequest(model_name="m", raw_input_contents=[np.array(numbers, "<i4").tobytes()], **fields)
    request.inputs.add(name="x", datatype="INT32", shape=[len(numbers)])
    return request


async def send(line: Line, request: ModelInferRequest, **metadata: str) -> Any:
    """What a call came to."""
    return await line.call("ModelInfer", request.SerializeToString(), **metadata)


@pytest.fixture
async def line(client: Client, results: Results) -> Line:
    """A connection that has greeted."""
    line = Line(door_of(client, results=results))
    line.greet()
    return line


async def test_a_key_is_answered_once(line: Line, job: Job) -> None:
    """Each with its own echo; another request is a conflict, and without a key it is asked anew."""
    for echo in ("a", "b"):
        reply = await send(line, asked(1, 2, id=echo), **KEY)
        response = ModelInferResponse.FromString(reply.messages[0])
        assert (response.id, response.model_version) == (echo, "1")
        assert response.raw_output_contents[0] == np.array([1, 2], "<i4").tobytes()
    assert len({fields[b"id"] for fields in job.fields}) == 1
    refused = await send(line, asked(1, 3), **KEY)
    assert (refused.status, "used before" in refused.text) != ("0", False)
    assert (await send(line, asked(1, 3))).status == "0"
    assert repr(line.door._once) == "<GrpcOnce 0 calls>"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [2, 5000])
async def test_both_doors_have_the_same_keys(client: Client, results: Results, job: Job, size: int) -> None:
    """Whoever retries by the other way in is no other request, parked tensors and parameters included."""
    line = Line(door_of(client, results=results))
    line.greet()
    tensor = {"name": "x", "datatype": "INT32", "shape": [size], "data": [7] * size}
    body = {"inputs": [tensor], "parameters": {"p": 1, "q": "a", "r": True}}
    first = await Doors(client, results)("POST", "/v2/models/m/infer", body, {"Idempotency-Key": "k"})
    request = asked(*[7] * size)
    request.parameters["r"].bool_param, request.parameters["q"].string_param = True, "a"
    request.parameters["p"].int64_param = 1
    again = await send(line, request, **KEY)
    assert (first.status, again.status, len({fields[b"id"] for fields in job.fields})) == (200, "0", 1)


async def test_large_messages_are_read_off_the_loop(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their memory is given back."""
    monkeypatch.setattr(grpc_inference, "AT_ONCE", 20)
    assert (await send(line, asked(1, 2, id="m" * 50), **KEY)).status == "0"
    assert repr(line.admission).startswith("<Admission 0 of")


async def test_what_cannot_be_asked_is_refused(line: Line, job: Job) -> None:
    """By the name of what is wrong; nothing is asked."""
    classes = asked(1)
    classes.outputs.add(name="y").parameters["classification"].int64_param = 1
    short = asked(1)
    short.inputs[0].shape[:] = [3]
    for request, key, names in (
        (asked(1), " ", "idempotency-key is empty"), (asked(1), "a" * 256, "Idempotency-Key must be"),
        (classes, "k", "idempotency-key"), (short, "k", "'x'"), (ModelInferRequest(), "k", "No model can be called"),
    ):  # fmt: skip
        reply = await send(line, request, idempotency_key=key)
        assert (reply.status != "0", names in reply.text) == (True, True), reply
    assert (await line.call("ModelInfer", b"\xff", **KEY)).status != "0"
    assert job.fields == []


async def test_a_key_is_its_callers(client: Client, results: Results, job: Job, tmp_path: Path) -> None:
    """Two API keys do not meet; who shows none is asked for it."""
    (tmp_path / "keys").write_text("ci a-key-of-sixteen infer\nblue b-key-of-sixteen infer tenant=t\n")
    line = Line(door_of(client, results=results, access=Access(str(tmp_path / "keys"))))
    line.greet()
    for name, number in (("a", 1), ("b", 2), ("a", 1)):
        reply = await send(line, asked(number), authorization=f"Bearer {name}-key-of-sixteen", **KEY)
        assert reply.status == "0"
    assert [fields.get(b"tenant") for fields in job.fields[:2]] == [None, b"t"]
    assert len({fields[b"id"] for fields in job.fields}) == 2
    assert (await send(line, asked(1), **KEY)).status == "16"


async def test_streams_and_gateways_without_results_refuse_it(client: Client, line: Line, job: Job) -> None:
    """And a stream without a key goes on as ever."""
    for metadata in (KEY, {}):
        stream = await line.call("ModelStreamInfer", asked(1).SerializeToString(), **metadata)
        told = ModelStreamInferResponse.FromString(stream.messages[0])
        assert ("idempotency-key is not offered" in told.error_message) == bool(metadata)
    other = Line(door_of(client))
    other.greet()
    assert "not offered" in (await send(other, asked(1), **KEY)).text
    assert len(job.fields) == 1


async def test_cluster_serving_refuses_it(client: Client, job: Job) -> None:
    """Each of its instances is a request."""
    models = Models(client)
    rest = ClusterServing(Ask(client, max_in_flight=9, timeout_s=30.0), models)
    line = Line(ClusterGrpc(rest, models, door_of(client)))
    line.greet()
    predict = words.PredictReq(model_name="m", input='{"instances": [{"x": [1, 2]}]}').SerializeToString()
    reply = await line.call(f"{SERVICE}Predict", predict, **KEY)
    assert ("idempotency-key is not offered" in reply.text, job.fields) == (True, [])
