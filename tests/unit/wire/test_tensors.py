"""Arrays to and from the wire's tensors."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.tensors import DTYPES, before_data, datatype_of, from_bytes, to_array, to_bytes, to_tensor, varint


@pytest.mark.parametrize("datatype", DTYPES)
def test_every_datatype_comes_back(datatype):
    """An array survives the trip with dtype, shape and values."""
    array = np.array([[0, 1, 1], [1, 0, 1]], DTYPES[datatype])
    tensor = to_tensor("x", array)
    assert (tensor.name, tensor.datatype, list(tensor.shape)) == ("x", datatype, [2, 3])
    back = to_array(tensor)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("array", [np.array(3.5), np.zeros((0, 4), np.float32), np.arange(6).reshape(2, 3).T])
def test_scalars_empty_and_turned_arrays(array):
    """Any shape and any memory order is sent row by row."""
    np.testing.assert_array_equal(to_array(to_tensor("x", array)), array)


def test_big_endian_arrays_are_turned():
    """Bytes on the wire are little-endian whatever they were before."""
    array = np.array([1, 2, 3], ">i4")
    assert to_tensor("x", array).data == np.array([1, 2, 3], "<i4").tobytes()


@pytest.mark.parametrize(
    "array",
    [np.array(["ä", "bc", ""]), np.array([b"a", b"\xff\x00"], dtype=object), np.array([[b"x"], [b"yz"]], dtype="S2")],
)
def test_texts_come_back_as_bytes(array):
    """BYTES elements keep their length, zeros included."""
    back = to_array(to_tensor("t", array))
    assert back.shape == array.shape
    assert back.ravel().tolist() == [
        each if isinstance(each, bytes) else each.encode() for each in array.ravel().tolist()
    ]


def test_arrays_lie_over_the_bytes():
    """Numbers are not copied, and what lies over bytes cannot be written."""
    data = np.arange(4, dtype="<f4").tobytes()
    array = from_bytes("x", "FP32", (2, 2), data)
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert not array.flags.writeable


def test_parked_bytes_stand_in_for_the_data():
    """Bytes that were parked are read as if they had been inside."""
    tensor = Tensor(name="x", datatype="INT8", shape=[2], payload="key")
    assert to_array(tensor, b"\x01\x02").tolist() == [1, 2]
    assert to_array(tensor, memoryview(b"\x01\x02")).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "code"),
    [
        ("FP32", (2,), b"1234", "input_shape"),
        ("FP32", (1,), b"123", "input_shape"),
        ("FP99", (1,), b"1234", "input_datatype"),
        ("BYTES", (2,), b"\x01\x00\x00\x00a", "input_shape"),
        ("BYTES", (1,), b"\x05\x00\x00\x00ab", "input_shape"),
        ("BYTES", (1,), b"\x05\x00", "input_shape"),
    ],
)
def test_what_does_not_agree_is_said(datatype, shape, data, code):
    """Type, shape and bytes are held against each other."""
    with pytest.raises(InvalidRequest, match="'x'") as caught:
        from_bytes("x", datatype, shape, data)
    assert caught.value.code == code


@pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]", "longdouble"])
def test_other_dtypes_are_refused(dtype):
    """What the protocol has no word for is refused with the words it has."""
    with pytest.raises(InvalidRequest, match="cannot be sent; use BOOL, UINT8"):
        datatype_of(np.dtype(dtype))


def test_an_array_may_be_packed_as_another_datatype():
    """Bytes follow the datatype that is asked for."""
    assert to_bytes(np.array([1, 2]), "UINT8") == b"\x01\x02"


def test_varint():
    """Numbers above 127 take more bytes."""
    assert [varint(0), varint(127), varint(128), varint(300)] == [b"\0", b"\x7f", b"\x80\x01", b"\xac\x02"]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000])
def test_what_comes_before_a_tensors_bytes(size):
    """With them behind it, it is the message that protobuf writes."""
    tensor = Tensor(name="x", datatype="UINT8", shape=[1, size], data=bytes(size))
    written = before_data("x", "UINT8", [1, size], size) + bytes(size)
    assert InferRequest.FromString(written) == InferRequest(inputs=[tensor])
    assert InferReply.FromString(written) == InferReply(outputs=[tensor])
