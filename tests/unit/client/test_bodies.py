"""Bodies with their large tensors parked, and replies."""

import pytest

from scurry.client.bodies import park, parse_reply, raise_error
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES


def test_only_what_is_large_is_parked():
    """The others stay, in their order; parameters and outputs go along."""
    large = bytes(CLAIM_CHECK_BYTES + 1)
    request = InferRequest(inputs=[Tensor(name="a", data=large), Tensor(name="b", data=b"1")], outputs=["y"])
    request.parameters["p"].int_value = 1
    light, parked = park(request, lambda name, _: f"key of {name}")
    assert parked == [("key of a", large)]
    left = [(tensor.name, tensor.payload, tensor.data) for tensor in light.inputs]
    assert left == [("a", "key of a", b""), ("b", "", b"1")]
    assert (light.outputs, light.parameters["p"].int_value) == (["y"], 1)
    assert request.inputs[0].data == large


def test_many_small_tensors_stay_together():
    """However large they are as a whole."""
    request = InferRequest(inputs=[Tensor(name=str(n), data=bytes(5000)) for n in range(4)])
    assert park(request, str) == (request, [])


def test_an_error_in_a_reply_is_raised_with_its_code():
    """A code that nobody knows is a failure; an answer is none."""
    raise_error({b"status": b"ok"})
    with pytest.raises(Unavailable, match="later"):
        raise_error({b"status": b"error", b"error": b"overloaded", b"message": b"later"})
    with pytest.raises(Failed, match="no message"):
        raise_error({})


def test_what_is_no_reply_is_said():
    """Not the protocol library's own exception."""
    with pytest.raises(Failed, match="not an InferReply"):
        parse_reply(b"\xff")
