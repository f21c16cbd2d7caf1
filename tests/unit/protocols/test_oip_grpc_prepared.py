"""Requests over gRPC of which only the tensor's bytes are new."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.protocols.oip_grpc import decode
from scurry.protocols.oip_grpc_prepared import PreparedInfers
from scurry.protocols.oip_pb2 import ModelInferRequest
from scurry.wire.infer_pb2 import InferRequest


def message_of(numbers: list[float], **fields: object) -> bytes:
    """A request with one tensor."""
    request = ModelInferRequest(model_name="m", raw_input_contents=[np.array(numbers, "<f4").tobytes()], **fields)
    request.inputs.add(name="x", datatype="FP32", shape=[len(numbers)])
    return request.SerializeToString()


@pytest.fixture
def prepared() -> PreparedInfers:
    """None so far."""
    return PreparedInfers()


@pytest.mark.parametrize("size", [1, 31, 32, 100, 2047, 2048, 3000, 5000])
def test_the_second_is_what_the_first_would_have_been(prepared, size):
    """With its own bytes, small or parked."""
    first, second = message_of([0.5] * size, model_version="2"), message_of([1.5] * size, model_version="2")
    prepared.keep(first, decode(first), 1000, 3)
    (infer, data) = prepared.find(second)
    assert (infer.model, infer.version, infer.call.timeout_us, infer.call.priority) == ("m", "2", 1000, 3)
    body, parked = infer.call.request(data, "key:{}".format)
    expected, expected_parked = decode(second).written("key:{}".format)
    assert InferRequest.FromString(body) == InferRequest.FromString(expected)
    assert [(key, bytes(one)) for key, one in parked] == [(key, bytes(one)) for key, one in expected_parked]


@pytest.mark.parametrize("other", [
    message_of([1.0, 2.0, 3.0]), message_of([1.0, 2.0], model_version="2"), message_of([1.0, 2.0], id="7"),
    message_of([1.0, 2.0]) + b"\x3a\x00", message_of([1.0, 2.0])[:-1], b"", b"\x3a", b"\x0a\x80", b"\x0a\xff\xff\xff",
])  # fmt: skip
def test_another_is_not_found(prepared, other):
    """Whose shape, name or length is not the same."""
    message = message_of([0.5, 0.25])
    prepared.keep(message, decode(message), 0, 0)
    assert prepared.find(message)
    assert prepared.find(other) is None


def test_what_may_not_come_again_is_not_kept(prepared):
    """Ids, parameters of tensors, several inputs, typed contents, raw contents that are not last."""
    shared, classes, typed = ModelInferRequest(model_name="m"), ModelInferRequest(), ModelInferRequest(model_name="m")
    shared.inputs.add(name="x", datatype="INT8", shape=[1]).parameters["shared_memory_region"].string_param = "r"
    classes.ParseFromString(message_of([1.0]))
    classes.outputs.add(name="y").parameters["classification"].int64_param = 1
    typed.inputs.add(name="x", datatype="FP32", shape=[1]).contents.fp32_contents.append(1.0)
    two = ModelInferRequest(model_name="m", raw_input_contents=[b"1", b"2"])
    for name in ("a", "b"):
        two.inputs.add(name=name, datatype="INT8", shape=[1])
    late = ModelInferRequest(raw_input_contents=[b"1"]).SerializeToString() + (
        ModelInferRequest(model_name="m", inputs=[two.inputs[0]]).SerializeToString()
    )
    named = [one.SerializeToString() for one in (shared, classes, typed, two)]
    for message in (*named, late, message_of([1.0], id="7")):
        prepared.keep(message, decode(message), 0, 0)
        assert repr(prepared) == "<PreparedInfers 0 known>"
