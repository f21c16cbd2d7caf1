"""Bodies from the caller's side: what is written is what the gateway reads, and the other way round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.protocols.oip_binary import BinaryOutputs, decode_call, encode_reply
from scurry.protocols.oip_calls import decode_answer, encode_call
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import from_bytes, to_tensor

ARRAYS = {
    "a": np.arange(6, dtype=np.int64).reshape(2, 3),
    "b": np.array([[b"\xff", "é"]], dtype=object),
    "c": np.zeros((0, 4), np.float16),
}


def test_the_gateway_reads_what_is_written() -> None:
    """Inputs, wanted outputs and parameters of every kind; all outputs in binary."""
    request = InferRequest(inputs=[to_tensor(name, array) for name, array in ARRAYS.items()], outputs=["y", "z"])
    request.parameters["on"].bool_value = False
    request.parameters["n"].int_value = 0
    request.parameters["x"].double_value = 0.5
    request.parameters["s"].string_value = ""
    json, tail = encode_call(request, {}, {"timeout": 9})
    call = decode_call(b"".join((json, *tail)), str(len(json)))
    assert call.request.parameters.pop("timeout").int_value == 9
    assert call.request == request
    assert call.binary.every
    assert call.raw


@pytest.mark.parametrize("binary", [True, False])
def test_what_the_gateway_writes_is_read(*, binary: bool) -> None:
    """With tensors behind the JSON, or in it."""
    kept = {name: array for name, array in ARRAYS.items() if binary or name != "b"}
    reply = InferReply(outputs=[to_tensor(name, array) for name, array in kept.items()])
    reply.parameters["cache_hit"].bool_value = True
    json, tail = encode_reply(reply, model="m", version="3", binary=BinaryOutputs(binary))
    answer = decode_answer(b"".join((json, *tail)), str(len(json)) if tail else None)
    assert (answer.model, answer.version, answer.parameters) == ("m", "3", {"cache_hit": True})
    assert answer.reply() == reply
    for one in answer.outputs:
        array = from_bytes(*one)
        assert array.dtype == kept[one.name].dtype
        assert array.shape == kept[one.name].shape


def test_outputs_are_views() -> None:
    """Of the response's bytes, not copies."""
    reply = InferReply(outputs=[to_tensor("a", ARRAYS["a"])])
    json, tail = encode_reply(reply, model="m", version="1", binary=BinaryOutputs(every=True))
    body = b"".join((json, *tail))
    assert isinstance(decode_answer(body, str(len(json))).outputs[0].data, memoryview)


@given(st.binary(max_size=64) | st.sampled_from([b"{}", b'{"outputs": 1}', b'{"outputs": [{}]}', b"[]"]), st.text())
def test_anything_else_is_a_failure_with_a_code(body: bytes, header: str) -> None:
    """A proxy may answer whatever it likes."""
    for told in (None, header):
        with pytest.raises(Failed, match="are no answer"):
            decode_answer(body, told)


def test_what_is_parked_elsewhere_is_not_sent() -> None:
    """Its key means nothing to a gateway."""
    request = InferRequest()
    request.inputs.add(name="x", datatype="INT8", shape=[1], payload="scurry:payload:r:in:x")
    with pytest.raises(InvalidRequest, match="send its data") as caught:
        encode_call(request, {}, {})
    assert caught.value.code == "payload_missing"
