"""Inference through the gRPC door."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.gateway.doors.line import Line, door_of

from scurry.client.answers import Answer
from scurry.gateway.access import Access
from scurry.gateway.limits import TensorLimits
from scurry.protocols import http2
from scurry.protocols.oip_pb2 import (
    ModelInferRequest,
    ModelInferResponse,
    ModelMetadataRequest,
    RepositoryModelLoadRequest,
)
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply


@pytest.fixture
async def line(client) -> Line:
    """A connection to the door that has greeted."""
    line = Line(door_of(client, max_in_flight=3))
    line.greet()
    return line


def asked(*numbers: float, model: str = "m", **fields: object) -> ModelInferRequest:
    """A request with one tensor."""
    request = ModelInferRequest(model_name=model, raw_input_contents=[np.array(numbers, "<f4").tobytes()], **fields)
    request.inputs.add(name="x", datatype="FP32", shape=[1, len(numbers)])
    return request


async def infer(line: Line, request: ModelInferRequest, **metadata: str) -> ModelInferResponse:
    """The response to one."""
    reply = await line.call("ModelInfer", request.SerializeToString(), **metadata)
    assert reply.status == "0", reply.text
    return ModelInferResponse.FromString(reply.messages[0])


async def test_an_answer_has_the_models_words(line, client):
    """Name, version, outputs; the id only if there is one."""
    response = await infer(line, asked(1.0, 2.0, id="7"))
    assert (response.model_name, response.model_version, response.id) == ("m", "1", "7")
    assert response.outputs[0].name == "x"
    assert np.frombuffer(response.raw_output_contents[0], "<f4").tolist() == [1.0, 2.0]
    assert (await infer(line, asked(1.0))).id == ""


async def test_those_that_are_alike_get_their_own_answers(line):
    """The second and third are read by what is known of the first."""
    for numbers in ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0, 9.0], [0.0, 0.0]):
        response = await infer(line, asked(*numbers))
        assert np.frombuffer(response.raw_output_contents[0], "<f4").tolist() == numbers
        assert list(response.outputs[0].shape) == [1, len(numbers)]


async def test_what_travels_beside_the_request_is_taken_from_it(line, client):
    """Time-out and priority of Triton's clients, the rest as metadata; the shorter time wins."""
    request = asked(1.0, model_version="best")
    request.parameters["timeout"].int64_param = 2_000_000
    request.parameters["priority"].uint64_param = 2
    request.parameters["sequence_id"].int64_param = 9
    metadata = {"scurry_key": "k", "x_scurry_tenant": "t", "traceparent": "00-1"}
    for _ in range(2):
        await infer(line, request, **metadata)
        _, sent, options = client.asked[-1]
        assert list(sent.parameters) == ["sequence_id"]
        assert options["timeout"] == 2.0
        assert (options["version"], options["priority"]) == ("best", 2)
        assert (options["key"], options["tenant"], options["traceparent"]) == ("k", "t", "00-1")
    await infer(line, request, grpc_timeout="500m")
    assert client.asked[-1][2]["timeout"] == 0.5


async def test_large_tensors_are_parked(line, client):
    """Under the request's own keys, the second as the first."""
    for start in (0.0, 1.0):
        numbers = np.arange(start, 3000 + start, dtype="<f4")
        response = await infer(line, asked(*numbers))
        assert np.frombuffer(response.raw_output_contents[0], "<f4").tolist() == numbers.tolist()
        assert client.asked[-1][1].inputs[0].payload == client.keys.payload_in(f"id-{start:.0f}", "x")


async def test_large_typed_contents_are_read_off_the_loop(line, client):
    """And come to the same."""
    request = ModelInferRequest(model_name="m")
    tensor = request.inputs.add(name="x", datatype="FP32", shape=[100_000])
    tensor.contents.fp32_contents.extend([0.5] * 100_000)
    line.send(http2.settings(((http2.INITIAL_WINDOW_SIZE, 1 << 20),)), http2.number(http2.WINDOW_UPDATE, 0, 1 << 20))
    response = await infer(line, request)
    assert response.raw_output_contents[0] == np.full(100_000, 0.5, "<f4").tobytes()


async def test_too_many_at_a_time_are_refused(client):
    """By the limit that all doors share."""
    line = Line(door_of(client, max_in_flight=1))
    line.greet()
    streams = [line.head("ModelInfer") for _ in range(2)]
    for stream in streams:
        line.data(stream, asked(1.0).SerializeToString())
    assert [(await line.reply(stream)).status for stream in streams] == ["0", "14"]
    assert (await infer(line, asked(1.0))).model_name == "m"


@pytest.mark.parametrize(("model", "version"), [("nobody", ""), ("no name", ""), ("m", "no version")])
async def test_a_model_that_is_not_there_is_said_as_tritons_clients_expect(line, model, version):
    """With NOT_FOUND."""
    reply = await line.call("ModelInfer", asked(1.0, model=model, model_version=version).SerializeToString())
    assert reply.status == "5"
    assert reply.text


async def test_classes_take_the_place_of_numbers(line, client):
    """As many as are wanted."""
    request = asked(0.5, 3.0, 2.0)
    request.outputs.add(name="x").parameters["classification"].int64_param = 2
    response = await infer(line, request)
    assert response.outputs[0].datatype == "BYTES"
    assert response.raw_output_contents[0] == b"\x0a\0\0\x003.000000:1\x0a\0\0\x002.000000:2"


async def test_an_error_of_the_model_is_its_status(line, client):
    """Also behind one that went well and looked alike."""
    await infer(line, asked(1.0))
    client.failure = error("model_failed", "It broke.")
    reply = await line.call("ModelInfer", asked(2.0).SerializeToString())
    assert (reply.status, reply.text) == ("13", "It broke.")


async def test_no_text_of_metadata_is_passed_on_unseen(line):
    """The sticky key must be ASCII."""
    reply = await line.call("ModelInfer", asked(1.0).SerializeToString(), scurry_key="é")
    assert reply.status == "3"
    assert "scurry-key" in reply.text


async def test_a_scalar_and_several_outputs_come_back(line, client, monkeypatch):
    """In their order, each with its bytes."""

    async def answer(model, request, **_):
        reply = InferReply()
        reply.outputs.add(name="a", datatype="INT64", shape=[], data=(5).to_bytes(8, "little"))
        reply.outputs.add(name="b", datatype="BYTES", shape=[0], data=b"")
        return Answer(model, "1", reply)

    monkeypatch.setattr(client, "ask", answer)
    for _ in range(2):
        response = await infer(line, asked(1.0))
        assert [(one.name, list(one.shape)) for one in response.outputs] == [("a", []), ("b", [0])]
        assert list(response.raw_output_contents) == [(5).to_bytes(8, "little"), b""]


async def test_a_key_is_asked_for_whatever_is_called(client, tmp_path):
    """It is for a model and a scope, has a tenant and so many requests; a known request is no less asked."""
    (tmp_path / "keys").write_text("ci a-key-of-sixteen infer,read models=m tenant=blue max_in_flight=1\n")
    line = Line(door_of(client, access=Access(str(tmp_path / "keys"))))
    line.greet()
    request = asked(1.0).SerializeToString()
    assert (await line.call("ModelInfer", request)).status == "16"
    key = {"authorization": "Bearer a-key-of-sixteen", "x_scurry_tenant": "red"}
    for _ in range(2):
        assert (await line.call("ModelInfer", request, **key)).status == "0"
        assert client.asked[-1][2]["tenant"] == "blue"
    assert (await line.call("ModelInfer", request)).status == "16"
    assert (await line.call("ModelInfer", asked(1.0, model="n").SerializeToString(), **key)).status == "7"
    assert (await line.call("ModelMetadata", ModelMetadataRequest(name="m").SerializeToString(), **key)).status == "0"
    load = RepositoryModelLoadRequest(model_name="m").SerializeToString()
    assert (await line.call("RepositoryModelLoad", load, **key)).status == "7"
    assert (await line.call("ServerLive", b"")).status == "0"


async def test_tensors_beyond_the_limits_are_refused(client):
    """As over HTTP."""
    line = Line(door_of(client, most=TensorLimits(0, 2)))
    line.greet()
    request = ModelInferRequest(model_name="m", raw_input_contents=[bytes(12)])
    request.inputs.add(name="x", datatype="FP32", shape=[3, 1])
    assert (await line.call("ModelInfer", request.SerializeToString())).status == "8"
