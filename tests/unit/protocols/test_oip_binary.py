"""Triton's binary tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from scurry.protocols import oip_binary
from scurry.protocols.oip_binary import BinaryOutputs
from scurry.protocols.oip_extensions import Place
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import DTYPES, to_array, to_tensor

SAMPLES = [np.arange(6).reshape(2, 3).astype(dtype) for dtype in DTYPES.values()] + [
    np.array([["a", "bb", ""], ["ü", "\x00", "z"]], object)
]


def message(inputs: list[dict[str, Any]], tail: bytes) -> tuple[bytes, str]:
    """A body and its header."""
    head = orjson.dumps({"inputs": inputs})
    return head + tail, str(len(head))


@pytest.mark.parametrize("array", SAMPLES, ids=lambda array: str(array.dtype))
def test_a_datatype_comes_through_byte_for_byte(array: np.ndarray[Any, Any]) -> None:
    """Each datatype, BYTES with its lengths included, in and out."""
    tensor = to_tensor("x", array)
    entry = {"name": "x", "datatype": tensor.datatype, "shape": [2, 3]}
    body, header = message([entry | {"parameters": {"binary_data_size": len(tensor.data)}}], tensor.data)
    request = oip_binary.decode_call(body, header).request
    assert request.inputs[0] == tensor
    json, tail = oip_binary.encode_reply(
        InferReply(outputs=[tensor]), model="m", version="1", binary=BinaryOutputs(every=True)
    )
    assert orjson.loads(json)["outputs"] == [entry | {"parameters": {"binary_data_size": len(tensor.data)}}]
    assert tail == [tensor.data]


def test_tensors_follow_in_the_order_of_the_inputs_that_are_binary() -> None:
    """JSON inputs may stand between them."""
    entry = {"datatype": "UINT8", "shape": [2]}
    inputs = [
        entry | {"name": "a", "parameters": {"binary_data_size": 2}},
        entry | {"name": "b", "data": [5, 6]},
        entry | {"name": "c", "parameters": {"binary_data_size": 2}},
    ]
    request = oip_binary.decode_call(*message(inputs, bytes([1, 2, 3, 4]))).request
    assert [to_array(tensor).tolist() for tensor in request.inputs] == [[1, 2], [5, 6], [3, 4]]


def test_views_over_the_body_are_not_copies() -> None:
    """Only protobuf copies the bytes."""
    body, header = message([{"name": "x", "parameters": {"binary_data_size": 4}}], b"1234")
    view = oip_binary.split(body, header)["inputs"][0]["data"]
    assert isinstance(view, memoryview)
    assert view.obj is body


def test_without_the_header_all_of_the_body_is_json() -> None:
    """As the protocol without the extension has it."""
    body, _ = message([{"name": "x", "datatype": "INT8", "shape": [1], "data": [3]}], b"")
    assert oip_binary.decode_call(body, None).request.inputs[0].data == b"\x03"


ONE = {"name": "x", "datatype": "UINT8", "shape": [2]}


@pytest.mark.parametrize(
    ("inputs", "tail", "header", "names"),
    [
        ([ONE], b"", "-1", "Inference-Header-Content-Length"),
        ([ONE], b"", "99999", "Inference-Header-Content-Length"),
        ([ONE], b"", "9" * 5000, "Inference-Header-Content-Length"),
        ([ONE], b"", "1_0", "Inference-Header-Content-Length"),
        ([ONE], b"", "٣", "Inference-Header-Content-Length"),
        ([ONE | {"parameters": {"binary_data_size": 3}}], b"12", None, "binary_data_size 3, but 2"),
        ([ONE | {"parameters": {"binary_data_size": -1}}], b"12", None, "binary_data_size -1"),
        ([ONE | {"parameters": {"binary_data_size": True}}], b"12", None, "binary_data_size True"),
        ([ONE | {"parameters": {"binary_data_size": 2}}], b"1234", None, "2 bytes behind"),
        ([ONE | {"data": [1, 2]}], b"1", None, "1 bytes behind"),
        ([ONE | {"data": [1, 2], "parameters": {"binary_data_size": 2}}], b"12", None, "'x' has `data`, and"),
        ([ONE | {"parameters": 3}], b"", None, "`parameters`"),
    ],
)
def test_a_body_that_does_not_add_up_is_refused(
    inputs: list[dict[str, Any]], tail: bytes, header: str | None, names: str
) -> None:
    """With a sentence that names the field."""
    body, right = message(inputs, tail)
    with pytest.raises(InvalidRequest) as caught:
        oip_binary.split(body, right if header is None else header)
    assert caught.value.code == "bad_request"
    assert names in caught.value.message


def test_a_binary_size_that_is_not_the_shapes_is_refused() -> None:
    """The tensor itself says what it must hold."""
    body, header = message([ONE | {"parameters": {"binary_data_size": 3}}], b"123")
    with pytest.raises(InvalidRequest, match=r"UINT8 \[2\] but carries 3 bytes"):
        oip_binary.decode_call(body, header)


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        ({}, [False, False]),
        ({"parameters": {"binary_data_output": True}}, [True, True]),
        ({"outputs": [{"name": "a", "parameters": {"binary_data": True}}, {"name": "b"}]}, [True, False]),
        (
            {
                "outputs": [{"name": "a"}, {"name": "b", "parameters": {"binary_data": False}}],
                "parameters": {"binary_data_output": True},
            },
            [True, False],
        ),
    ],
)
def test_each_output_is_binary_as_it_was_asked_for(document: dict[str, Any], answer: list[bool]) -> None:
    """The output's own wish wins over the request's."""
    choice = oip_binary.wanted(document)
    assert ["a" in choice, "b" in choice] == answer
    assert "binary_data_output" not in document.get("parameters", {})


@pytest.mark.parametrize(
    "document",
    [
        {"parameters": {"binary_data_output": "yes"}},
        {"outputs": [{"name": "a", "parameters": {"binary_data": 1}}]},
        {"outputs": [{"name": "a", "parameters": {"classification": "3"}}]},
    ],
)
def test_wishes_that_cannot_be_met_are_refused(document: dict[str, Any]) -> None:
    """Better than an answer that is not what was asked for."""
    with pytest.raises(InvalidRequest):
        oip_binary.wanted(document)


def test_json_and_binary_outputs_may_be_mixed() -> None:
    """Raw tensors keep the order of the outputs."""
    reply = InferReply(outputs=[to_tensor(name, np.array([1], np.int8)) for name in "abc"])
    json, tail = oip_binary.encode_reply(
        reply, model="m", version="1", id="7", binary=BinaryOutputs(every=True, named={"b": False})
    )
    document = orjson.loads(json)
    assert document["id"] == "7"
    assert [output.get("data") for output in document["outputs"]] == [None, [1], None]
    assert tail == [b"\x01", b"\x01"]


PLACED = {"shared_memory_region": "r", "shared_memory_byte_size": 2}


def test_what_lies_in_shared_memory_is_read_and_told_where_it_goes() -> None:
    """Nothing of such a call is like the next one, whatever stands behind its JSON."""
    read: list[Place] = []

    def reader(place: Place) -> memoryview:
        read.append(place)
        return memoryview(b"\x05\x06")

    inputs = [ONE | {"name": "a", "parameters": {"binary_data_size": 2}}, ONE | {"name": "b", "parameters": PLACED}]
    body, header = message(inputs, b"\x01\x02")
    call = oip_binary.decode_call(body, header, reader)
    assert [to_array(tensor).tolist() for tensor in call.request.inputs] == [[1, 2], [5, 6]]
    assert (call.raw, call.shared, read) == (False, True, [Place("r", 0, 2)])
    assert oip_binary.shared_bytes(body, header) == 2
    wishes = oip_binary.wanted({"outputs": [{"name": "y", "parameters": PLACED | {"binary_data": True}}]})
    reply = InferReply(outputs=[to_tensor(name, np.array([7], np.uint8)) for name in "yz"])
    json, tail = oip_binary.encode_reply(reply, model="m", version="1", binary=wishes)
    told = orjson.loads(json)["outputs"]
    assert told[0]["parameters"] == PLACED | {"shared_memory_byte_size": 1}
    assert (told[1]["data"], tail) == ([7], [])
    assert [wishes.is_json(tensor) for tensor in reply.outputs] == [False, True]


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (PLACED, "no shared memory is read here"),
        ({"shared_memory_region": "r"}, "shared_memory_byte_size"),
        ({"shared_memory_region": 7}, "the name of a region"),
    ],
)
def test_shared_memory_that_cannot_be_read_is_refused(told: dict[str, Any], names: str) -> None:
    """Better than a tensor of nothing."""
    with pytest.raises(InvalidRequest, match=names):
        oip_binary.decode_call(*message([ONE | {"parameters": told}], b""))


def test_classes_are_a_wish_of_their_own() -> None:
    """None of them is none."""
    wishes = oip_binary.wanted({"outputs": [{"name": "y", "parameters": {"classification": 3}}, {"name": "z"}]})
    assert (wishes.classes, wishes.is_uncommon) == ({"y": 3}, True)
    assert not oip_binary.wanted({"outputs": [{"name": "y", "parameters": {"classification": 0}}]}).is_uncommon
