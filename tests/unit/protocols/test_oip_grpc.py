"""The gRPC protocol's messages to and from the wire's."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.protocols import oip_grpc
from scurry.protocols.oip_grpc import decode, split
from scurry.protocols.oip_pb2 import ModelInferRequest, ModelInferResponse
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import DTYPES, to_array, to_bytes


def asked(*tensors: tuple[str, str, tuple[int, ...], bytes], **fields) -> ModelInferRequest:
    """A request with raw tensors."""
    request = ModelInferRequest(model_name="m", **fields)
    for name, datatype, shape, data in tensors:
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append(data)
    return request


def written(request: ModelInferRequest) -> tuple[InferRequest, dict[str, bytes]]:
    """What goes to the job, and what is parked."""
    body, parked = decode(request.SerializeToString()).written("key:{}".format)
    return InferRequest.FromString(body), {key: bytes(data) for key, data in parked}


@pytest.mark.parametrize("datatype", [*DTYPES, "BYTES"])
@pytest.mark.parametrize("shape", [(2, 3), (), (0, 3), (1,)])
def test_every_data_type_comes_as_it_is(datatype, shape):
    """Raw, of any shape: scalars and empty ones too."""
    array = np.arange(max(1, int(np.prod(shape))))[: int(np.prod(shape))].reshape(shape)
    array = array.astype(str).astype(object) if datatype == "BYTES" else array.astype(DTYPES[datatype])
    data = to_bytes(array, datatype)
    tensor = written(asked(("x", datatype, shape, data)))[0].inputs[0]
    assert (tensor.name, tensor.datatype, tuple(tensor.shape), tensor.data) == ("x", datatype, shape, data)
    assert to_array(tensor).shape == shape


def test_what_is_large_is_parked_as_it_lies_in_the_message():
    """Without a copy."""
    large = bytes(CLAIM_CHECK_BYTES + 4)
    message = asked(("a", "UINT8", (len(large),), large), ("b", "UINT8", (1,), b"x")).SerializeToString()
    infer = decode(message)
    body, parked = infer.written("key:{}".format)
    request = InferRequest.FromString(body)
    assert [tensor.payload or tensor.data for tensor in request.inputs] == ["key:a", b"x"]
    assert parked[0][0] == "key:a"
    assert parked[0][1].obj is message


def test_names_parameters_and_outputs_come_along():
    """Model, version, id; of single tensors as well."""
    request = asked(("x", "INT8", (1,), b"a"), model_version="2", id="7")
    request.parameters["n"].int64_param = -3
    request.parameters["u"].uint64_param = 3
    request.parameters["b"].bool_param = True
    request.parameters["d"].double_param = 0.5
    request.parameters["s"].string_param = "é"
    request.outputs.add(name="y").parameters["classification"].int64_param = 2
    request.outputs.add(name="z")
    infer = decode(request.SerializeToString())
    assert (infer.model, infer.version, infer.id) == ("m", "2", "7")
    assert {name: getattr(one, one.WhichOneof("value")) for name, one in infer.request.parameters.items()} == {
        "n": -3, "u": 3, "b": True, "d": 0.5, "s": "é",
    }  # fmt: skip
    assert list(infer.request.outputs) == ["y", "z"]
    assert infer.of_outputs == {"y": {"classification": 2}}


def broken_uint(request: ModelInferRequest) -> None:
    """More than a whole number with a sign can be."""
    request.parameters["u"].uint64_param = 2**63


def no_value(request: ModelInferRequest) -> None:
    """A parameter that is there and says nothing."""
    request.parameters["u"].ClearField("int64_param")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda one: one.inputs.add(name="x", datatype="INT8", shape=[1]), "bad_request", "twice"),
        (lambda one: one.inputs.add(name="", datatype="INT8", shape=[1]), "bad_request", "without a name"),
        (lambda one: one.inputs.add(name="y", datatype="INT8", shape=[1]), "bad_request", "no bytes"),
        (lambda one: one.raw_input_contents.append(b""), "bad_request", "more than inputs"),
        (lambda one: one.inputs[0].contents.int_contents.append(1), "bad_request", "beside"),
        (lambda one: setattr(one.inputs[0], "datatype", "FP8"), "input_datatype", "FP8"),
        (lambda one: one.inputs[0].shape.append(-1), "input_shape", "sizes from 0"),
        (lambda one: one.inputs[0].shape.append(2), "input_shape", "carries 1 bytes"),
        (lambda one: one.inputs[0].shape.extend([2**62, 2**62]), "input_shape", "carries 1 bytes"),
        (lambda one: one.inputs[0].shape.extend([1] * 40), "input_rank", "limit"),
        (lambda one: (one.outputs.add(name="y"), one.outputs.add(name="y")), "bad_request", "twice"),
        (lambda one: one.outputs.add(name=""), "bad_request", "without a name"),
        (lambda one: [one.outputs.add(name=str(n)) for n in range(2000)], "bad_request", "limit"),
        (broken_uint, "bad_request", "64-bit"),
        (no_value, "bad_request", "Parameter"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(change, code, words):
    """Before anything is sent."""
    request = asked(("x", "INT8", (1,), b"a"))
    change(request)
    with pytest.raises(InvalidRequest) as refused:
        written(request)
    assert refused.value.code == code
    assert words in refused.value.message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(data):
    """Nothing else is raised."""
    with contextlib.suppress(InvalidRequest):
        decode(data)


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(0, 5))
def test_raw_contents_are_found_wherever_they_stand(raws, at):
    """Protobuf lets fields come in any order."""
    head = ModelInferRequest(model_name="m", id="i" * 200).SerializeToString()
    parts = [ModelInferRequest(raw_input_contents=[raw]).SerializeToString() for raw in raws]
    rest, found = split(b"".join([*parts[:at], head, *parts[at:]]))
    assert rest == head
    assert [bytes(one) for one in found] == raws


def test_a_reply_is_read_by_the_protocols_own_message():
    """Outputs raw, in their order; id, version and parameters with them."""
    reply = InferReply()
    reply.outputs.add(name="y", datatype="FP32", shape=[1], data=b"abcd")
    reply.outputs.add(name="z", datatype="BYTES", shape=[0], data=b"")
    reply.parameters["p"].double_value = 0.5
    whole = b"".join(oip_grpc.encode_reply(reply, model="m", version="2", id="7", final=True))
    response = ModelInferResponse.FromString(whole)
    assert (response.model_name, response.model_version, response.id) == ("m", "2", "7")
    assert [(one.name, one.datatype, list(one.shape)) for one in response.outputs] == [
        ("y", "FP32", [1]), ("z", "BYTES", [0]),
    ]  # fmt: skip
    assert list(response.raw_output_contents) == [b"abcd", b""]
    assert response.parameters["p"].double_param == 0.5
    assert response.parameters[oip_grpc.FINAL].bool_param is True


def test_an_output_that_was_put_elsewhere_says_so_and_carries_nothing():
    """The others keep their places."""
    reply = InferReply()
    reply.outputs.add(name="y", datatype="INT8", shape=[4], data=b"abcd")
    reply.outputs.add(name="z", datatype="INT8", shape=[1], data=b"x")
    placed = {"y": {"shared_memory_region": "r", "shared_memory_byte_size": 4}}
    response = ModelInferResponse.FromString(
        b"".join(oip_grpc.encode_reply(reply, model="m", version="1", placed=placed))
    )
    assert list(response.raw_output_contents) == [b"", b"x"]
    assert response.outputs[0].parameters["shared_memory_region"].string_param == "r"
    assert response.outputs[0].parameters["shared_memory_byte_size"].int64_param == 4
    assert not response.outputs[1].parameters


def test_a_whole_request_has_all_of_its_bytes():
    """Large ones too; one that does not fit its shape is refused."""
    large = bytes(CLAIM_CHECK_BYTES + 4)
    request = asked(("x", "INT8", (len(large),), large), ("y", "INT8", (2,), b"ab"), id="7")
    whole = decode(request.SerializeToString()).whole()
    assert [tensor.data for tensor in whole.inputs] == [large, b"ab"]
    with pytest.raises(InvalidRequest, match="carries 2 bytes"):
        decode(asked(("y", "INT8", (3,), b"ab")).SerializeToString()).whole()
