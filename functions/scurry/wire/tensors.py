"""Numpy arrays to and from the wire's tensors.

Data types are those of the Open Inference Protocol v2; bytes are row-major little-endian.
BF16 is numpy's through ml_dtypes. BYTES tensors hold each element behind its uint32 little-endian length, as Triton's
binary extension does.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ml_dtypes import bfloat16

from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import Tensor

Array = npt.NDArray[Any]

DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "BF16": np.dtype(bfloat16),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
DATATYPES: Final[dict[np.dtype[Any], str]] = {dtype: name for name, dtype in DTYPES.items()}

BF16: Final = DTYPES["BF16"]

DATA_TAG: Final = b"\x22"
"""What stands before the length of `Tensor.data` on the wire."""
TENSOR_TAG: Final = b"\x0a"
"""What stands before the length of an input or output."""


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether it holds floating point numbers; to numpy BF16 is nothing of the kind."""
    return dtype.kind == "f" or dtype == BF16


def datatype_of(dtype: np.dtype[Any]) -> str:
    """Protocol data type of a numpy dtype; strings, bytes and objects are BYTES."""
    if dtype.kind in "OSU":
        return "BYTES"
    try:
        return DATATYPES[dtype.newbyteorder("<")]
    except KeyError:
        sentence = f"Arrays of dtype {dtype} cannot be sent; use {', '.join(DTYPES)} or BYTES."
        raise InvalidRequest("input_datatype", sentence) from None


def to_tensor(name: str, array: Array) -> Tensor:
    """A tensor with the bytes of `array` inside."""
    datatype = datatype_of(array.dtype)
    return Tensor(name=name, datatype=datatype, shape=array.shape, data=to_bytes(array, datatype))


def to_bytes(array: Array, datatype: str) -> bytes:
    """Row-major little-endian bytes of an array."""
    if datatype == "BYTES":
        return _pack_strings(array)
    return array.astype(DTYPES[datatype], copy=False).tobytes()


def varint(value: int) -> bytes:
    """Protobuf's variable-length integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def before_data(name: str, datatype: str, shape: Sequence[int], size: int) -> bytes:
    """What comes before a tensor's `size` bytes in a serialised `InferRequest` or `InferReply`: both begin with one."""
    inner = Tensor(name=name, datatype=datatype, shape=shape).SerializeToString() + DATA_TAG + varint(size)
    return TENSOR_TAG + varint(len(inner) + size) + inner


def to_array(tensor: Tensor, data: bytes | memoryview | None = None) -> Array:
    """A read-only array over the tensor's bytes, or over `data` when they were parked; no copy but for BYTES."""
    return from_bytes(tensor.name, tensor.datatype, tuple(tensor.shape), tensor.data if data is None else data)


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], data: bytes | memoryview) -> Array:
    """A read-only array over `data`. Raises `InvalidRequest` when type, shape and bytes do not agree."""
    if datatype == "BYTES":
        return _unpack_strings(name, shape, data)
    dtype = DTYPES.get(datatype)
    if dtype is None:
        sentence = f"Tensor {name!r} has datatype {datatype!r}; known are {', '.join(DTYPES)} and BYTES."
        raise InvalidRequest("input_datatype", sentence)
    try:
        return np.frombuffer(data, dtype).reshape(shape)
    except ValueError:
        raise _size_mismatch(name, datatype, shape, len(data)) from None


def _size_mismatch(name: str, datatype: str, shape: tuple[int, ...], size: int) -> InvalidRequest:
    return InvalidRequest("input_shape", f"Tensor {name!r} says {datatype} {list(shape)} but carries {size} bytes.")


def _pack_strings(array: Array) -> bytes:
    parts: list[bytes] = []
    for item in array.ravel():
        raw = item if isinstance(item, bytes) else str(item).encode()
        parts += (struct.pack("<I", len(raw)), raw)
    return b"".join(parts)


def _unpack_strings(name: str, shape: tuple[int, ...], data: bytes | memoryview) -> Array:
    view, items, at = memoryview(data), [], 0
    try:
        while at < len(view):
            (length,) = struct.unpack_from("<I", view, at)
            if at + 4 + length > len(view):
                raise _size_mismatch(name, "BYTES", shape, len(view))
            items.append(bytes(view[at + 4 : at + 4 + length]))
            at += 4 + length
        flat = np.empty(len(items), dtype=object)
        flat[:] = items
        return flat.reshape(shape)
    except (struct.error, ValueError):
        raise _size_mismatch(name, "BYTES", shape, len(view)) from None
