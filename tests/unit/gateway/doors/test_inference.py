"""Inference in callbacks: what is seen again, what has to be awaited, what goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from scurry.client.answers import Answer
from scurry.gateway.doors import inference
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import to_tensor


def body(array: np.ndarray[Any, Any], **more: Any) -> tuple[bytes, str]:
    """A body with its tensor behind the JSON, and its header."""
    tensor = to_tensor("x", array)
    one = {"name": "x", "datatype": tensor.datatype, "shape": list(tensor.shape)}
    one["parameters"] = {"binary_data_size": len(tensor.data)}
    json = orjson.dumps({"inputs": [one], "parameters": {"binary_data_output": True}, **more})
    return json + tensor.data, str(len(json))


async def test_the_same_json_with_other_tensors(call: Any, client: Any) -> None:
    """Each answer is to its own bytes, also the first of a JSON and those after it."""
    for value in range(4):
        sent, header = body(np.full((1, 2), value, np.float32))
        reply, _ = await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
        assert np.frombuffer(reply.parts[1], np.float32).tolist() == [value, value]
    assert "<PreparedCalls 1 known>" in repr(call.door._inference)


async def test_the_same_json_with_other_numbers(call: Any, client: Any) -> None:
    """In binary or in JSON, in turns; and a list that does not fit is refused as ever, though one that did was seen."""
    for value in range(6):
        sent = orjson.dumps(
            {
                "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [value, 0.5]}],
                "parameters": {"binary_data_output": value % 2 == 1},
            }
        )
        reply, told = await call("POST", "/v2/models/m/infer", sent)
        if value % 2:
            assert np.frombuffer(reply.parts[1], np.float32).tolist() == [value, 0.5]
        else:
            assert told["outputs"][0]["data"] == [value, 0.5]
    assert "<PreparedJson 1 known>" in repr(call.door._inference)
    reply, told = await call("POST", "/v2/models/m/infer", sent.replace(b"[5,0.5]", b"[5,0.5,1]"))
    assert (reply.status, told["code"]) == (400, "input_shape")
    reply, told = await call("POST", "/v2/models/m/infer", sent.replace(b"[5,0.5]", b'["5",0.5]'))
    assert (reply.status, told["code"]) == (400, "input_datatype")
    reply, told = await call("POST", "/v2/models/m/infer", sent.replace(b"[5,0.5]", b"[5,0.5"))
    assert (reply.status, told["code"]) == (400, "bad_request")
    assert len(client.asked) == 6


async def test_an_id_is_echoed_every_time(call: Any) -> None:
    """It belongs to one request."""
    for name in ("a", "b", "a"):
        sent, header = body(np.zeros((1, 2), np.float32), id=name)
        _, told = await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
        assert told["id"] == name


async def test_a_timeout_holds_every_time(call: Any, client: Any) -> None:
    """It stands in the JSON, and never travels to the model."""
    sent, header = body(np.zeros((1, 2), np.float32), parameters={"timeout": 2_000_000})
    for _ in range(3):
        await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
    assert [options["timeout"] for _, _, options in client.asked] == [2.0] * 3
    assert not any(request.parameters for _, request, _ in client.asked)


@pytest.mark.parametrize("value", [1, 2])
async def test_large_tensors_are_parked_each_under_its_own_key(call: Any, client: Any, value: int) -> None:
    """And fetched from there when they come back; one that was seen before as well."""
    array = np.full(CLAIM_CHECK_BYTES, value, np.uint8)
    for _ in range(3):
        sent, header = body(array)
        reply, _ = await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
        assert reply.parts[1] == array.tobytes()
        sent, header = body(np.append(array, np.uint8(9)))
        reply, _ = await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
        assert reply.parts[1] == array.tobytes() + b"\x09"
    keys = [tensor.payload for _, request, _ in client.asked for tensor in request.inputs]
    assert len({key for key in keys if key}) == 3
    assert client.parked == {}


async def test_a_tail_of_another_length_is_refused(call: Any, client: Any) -> None:
    """Though the JSON was good before."""
    sent, header = body(np.zeros((1, 2), np.float32))
    await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
    for wrong in (sent + b"1", sent[:-1]):
        reply, told = await call("POST", "/v2/models/m/infer", wrong, Inference_Header_Content_Length=header)
        assert (reply.status, told["code"]) == (400, "bad_request")
    assert len(client.asked) == 1


async def test_large_json_is_read_and_written_aside(
    call: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes to the same, errors included."""
    monkeypatch.setattr(inference, "AT_ONCE", 10)
    one = {"name": "x", "datatype": "INT32", "shape": [3], "data": [1, 2, 3]}
    _, told = await call("POST", "/v2/models/m/infer", {"inputs": [one]})
    assert told["outputs"] == [one]
    reply, told = await call("POST", "/v2/models/m/infer", b"{" + b" " * 20)
    assert (reply.status, told["code"]) == (400, "bad_request")
    reply, told = await call("POST", "/v2/models/m/infer", {"inputs": [one], "parameters": {"timeout": -1}})
    assert (reply.status, told["code"]) == (400, "bad_request")


async def test_an_output_that_is_gone_is_told(call: Any, client: Any) -> None:
    """Parked, and not there any more."""

    async def ask(*_: Any, **__: Any) -> Answer:
        return Answer("m", "1", InferReply(outputs=[Tensor(name="y", datatype="UINT8", shape=[1], payload="gone")]))

    async def read(*_: Any, **__: Any) -> Answer:
        raise error("payload_missing", "It is not in Redis any more.")

    client.ask, client.read = ask, read
    sent, header = body(np.zeros((1, 2), np.float32))
    _, told = await call("POST", "/v2/models/m/infer", sent, Inference_Header_Content_Length=header)
    assert told["code"] == "payload_missing"
