"""One tensor as the Open Inference Protocol's JSON object.

JSON knows no NaN and no infinity: they are the texts "NaN", "Infinity" and "-Infinity" in both directions, which numpy,
and so Triton's clients, read as such; null comes in as NaN as well. Numbers are accepted for FP16 and BF16 although the
protocol has no JSON form of them. Whole numbers written as 1.0 are whole; 1.5 is not an INT32.
Bytes that are no text may be an object with their base64: {"b64": "…"}, as TensorFlow Serving has them.
An input whose `data` is bytes (Triton's binary extension puts them there) is taken as it is.
"""

from __future__ import annotations

import binascii
from itertools import chain
from math import inf, nan, prod
from reprlib import Repr
from types import NoneType
from typing import Any, Final

import numpy as np

from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.limits import DIMENSIONS
from scurry.wire.tensors import BF16, DTYPES, Array, is_float, to_array

Document = dict[str, Any]
"""A JSON object as orjson reads it."""

_short: Final = Repr()
_short.maxstring = 64
brief: Final = _short.repr
"""What a caller sent, as it may stand in a sentence to him: never a megabyte of it."""

FEW: Final = 256
"""Up to so many numbers, looking at them in Python is quicker than asking numpy."""
SMALL: Final = 32_768.0
"""No type of floating point overflows at numbers up to this."""
NOT_FINITE: Final = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}
KNOWN: Final = ", ".join(DTYPES) + " and BYTES"


def add_tensor(request: InferRequest, name: str, entry: Document) -> None:
    """Append the tensor that a JSON object describes. Raises `InvalidRequest`."""
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or (datatype not in DTYPES and datatype != "BYTES"):
        raise InvalidRequest(
            "input_datatype", f"Tensor {brief(name)} has datatype {brief(datatype)}; known are {KNOWN}."
        )
    shape = _shape(name, entry.get("shape"))
    data = entry.get("data")
    if isinstance(data, list):
        content = content_of(name, datatype, shape, data)
    elif isinstance(data, (bytes, bytearray, memoryview)):
        content = _raw(name, datatype, shape, data)
    else:
        raise InvalidRequest("bad_request", f"Tensor {brief(name)} needs its elements in a list `data`.")
    request.inputs.add(name=name, datatype=datatype, shape=shape, data=content)


def content_of(name: str, datatype: str, shape: list[int], data: list[Any]) -> bytes:
    """The bytes of a list of elements, flat or nested as the shape says. Raises `InvalidRequest`."""
    sizes, flat, types = unnested(name, data)
    if (sizes[0] != prod(shape)) if len(sizes) == 1 else (sizes != shape):
        raise InvalidRequest("input_shape", f"Tensor {brief(name)} says {shape} but its `data` is {brief(sizes)}.")
    return encoded(name, datatype, flat, types)


def output_of(tensor: Tensor) -> Document:
    """One output as JSON, its data in a flat list."""
    flat = to_array(tensor).reshape(-1)
    data = _texts(tensor.name, flat) if tensor.datatype == "BYTES" else jsonable(flat)
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape), "data": data}


def jsonable(flat: Array) -> Array | list[Any]:
    """Numbers as JSON can hold them: as they are, if all are finite."""
    if flat.dtype == BF16:
        flat = flat.astype(np.float32)
    if flat.dtype.kind != "f" or np.isfinite(flat).all():
        return flat
    return [one if abs(one) < inf else _name_of(one) for one in flat.tolist()]


def _name_of(one: float) -> str:
    return "Infinity" if one > 0 else "-Infinity" if one < 0 else "NaN"


def _shape(name: str, shape: object) -> list[int]:
    if isinstance(shape, list) and len(shape) > DIMENSIONS:
        raise InvalidRequest(
            "input_rank", f"Tensor {brief(name)} has {len(shape)} dimensions; {DIMENSIONS} are the limit."
        )
    if isinstance(shape, list) and all(type(size) is int and 0 <= size < 2**63 for size in shape):
        return shape
    raise InvalidRequest(
        "input_shape", f"Tensor {brief(name)} needs `shape`, a list of sizes from 0, not {brief(shape)}."
    )


def _raw(name: str, datatype: str, shape: list[int], data: bytes | bytearray | memoryview) -> bytes:
    if datatype != "BYTES" and prod(shape) * DTYPES[datatype].itemsize != len(data):
        raise InvalidRequest(
            "input_shape", f"Tensor {brief(name)} says {datatype} {shape} but carries {len(data)} bytes."
        )
    return bytes(data)


def unnested(name: str, data: list[Any]) -> tuple[list[int], list[Any], set[type]]:
    """Sizes of lists within lists, their elements in row-major order, which types these have. Raises `InvalidRequest`.

    Lists without elements have no type of element.
    """
    sizes = [len(data)]
    while (types := set(map(type, data))) == {list}:
        lengths = set(map(len, data))
        if len(lengths) > 1:
            raise InvalidRequest("input_shape", f"Tensor {brief(name)} has lists of different length side by side.")
        sizes += lengths
        data = list(chain.from_iterable(data))
    if list in types:
        raise InvalidRequest("input_shape", f"Tensor {brief(name)} has lists beside single elements.")
    return sizes, data, types


def encoded(name: str, datatype: str, flat: list[Any], types: set[type]) -> bytes:
    """The bytes of elements of these types. Raises `InvalidRequest`."""
    if datatype == "BYTES" and types <= {str}:
        return b"".join([len(raw).to_bytes(4, "little") + raw for raw in map(str.encode, flat)])
    if datatype == "BYTES" and types <= {str, dict}:
        return b"".join([len(raw).to_bytes(4, "little") + raw for raw in [_bytes_of(name, one) for one in flat]])
    dtype = DTYPES.get(datatype)
    real = dtype is not None and is_float(dtype)
    if real and str in types:
        return _encode_named(name, datatype, flat)
    if real and types <= {float, int, NoneType}:
        if 0 < len(flat) <= FEW and NoneType not in types and min(flat) >= -SMALL and max(flat) <= SMALL:
            return np.array(flat, dtype).tobytes()
        with np.errstate(over="ignore"):
            array = np.array(flat, np.float64 if dtype == BF16 else dtype).astype(dtype, copy=False)
        if not np.isinf(array).any():
            return array.tobytes()
    elif dtype is not None and not real and _whole(flat, types, dtype):
        return np.array(flat, dtype).tobytes()
    raise InvalidRequest("input_datatype", f"Tensor {brief(name)} has an element that is no {datatype}.")


def _bytes_of(name: str, one: str | Document) -> bytes:
    """A text, or bytes as TensorFlow Serving has them in JSON: an object whose only member is `b64`."""
    if isinstance(one, str):
        return one.encode()
    encoded = one.get("b64")
    if len(one) != 1 or not isinstance(encoded, str):
        sentence = f"Tensor {brief(name)} has an object that is not {{\"b64\": …}}."
        raise InvalidRequest("input_datatype", sentence)
    try:
        return binascii.a2b_base64(encoded.encode(), strict_mode=True)
    except binascii.Error as cause:
        raise InvalidRequest("input_value", f"Tensor {brief(name)} has a `b64` that is no base64: {cause}.") from None


def _encode_named(name: str, datatype: str, flat: list[Any]) -> bytes:
    """Floats among which some are named for what they are."""
    rest = [0.0 if isinstance(one, str) and one in NOT_FINITE else one for one in flat]
    if str in set(map(type, rest)):
        raise InvalidRequest("input_datatype", f"Tensor {brief(name)} has an element that is no {datatype}.")
    array = np.frombuffer(encoded(name, datatype, rest, set(map(type, rest))), DTYPES[datatype]).copy()
    for at, one in enumerate(flat):
        if isinstance(one, str):
            array[at] = NOT_FINITE[one]
    return array.tobytes()


def _whole(flat: list[Any], types: set[type], dtype: np.dtype[Any]) -> bool:
    """Whether every element is a whole number (or truth value) that `dtype` can hold; 1.0 is made 1."""
    is_bool = dtype.kind == "b"
    if not types <= ({int, float, bool} if is_bool else {int, float}):
        return False
    if float in types:
        if not all(map(float.is_integer, map(float, flat))):
            return False
        flat[:] = map(int, flat)
    low, high = (0, 1) if is_bool else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    return not flat or (low <= min(flat) and max(flat) <= high)


def _texts(name: str, flat: Array) -> list[str]:
    try:
        return [item.decode() for item in flat.tolist()]
    except UnicodeDecodeError:
        raise InvalidRequest(
            "bad_request", f"Output {brief(name)} is not UTF-8 text: ask for a binary reply."
        ) from None
