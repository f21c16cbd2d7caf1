"""Open Inference Protocol v2 JSON to and from the wire's messages.

JSON knows no NaN and no infinity: they leave as null, and null comes in as NaN. Numbers are accepted for FP16
although the protocol has no JSON form of it. Whole numbers written as 1.0 are whole; 1.5 is not an INT32.
An input whose `data` is bytes (Triton's binary extension puts them there) is taken as it is.
"""

from __future__ import annotations

from itertools import chain
from math import prod
from reprlib import repr as brief
from types import NoneType
from typing import Any, Final

import numpy as np
import orjson

from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Parameter, Tensor
from scurry.wire.tensors import DTYPES, Array, to_array

Document = dict[str, Any]
"""A JSON object as orjson reads it."""

KNOWN: Final = ", ".join(DTYPES) + " and BYTES"


def decode_request(body: bytes) -> InferRequest:
    """The request that a JSON body asks for. Raises `InvalidRequest`."""
    return request_of(load(body))


def load(body: bytes | bytearray | memoryview) -> Document:
    """The JSON object in `body`. Raises `InvalidRequest` when it is anything else."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise InvalidRequest("bad_request", f"The body is not JSON: {cause}.") from None
    if not isinstance(document, dict):
        raise InvalidRequest("bad_request", "The body must be a JSON object with a list `inputs`.")
    return document


def request_of(document: Document) -> InferRequest:
    """The request in a JSON object. Raises `InvalidRequest`."""
    inputs = objects(document, "inputs")
    if not inputs:
        raise InvalidRequest("bad_request", "Field `inputs` must be a list with at least one tensor.")
    request = InferRequest()
    names: set[str] = set()
    for position, entry in enumerate(inputs):
        name = _name(entry, "inputs", position)
        if name in names:
            raise InvalidRequest("bad_request", f"Field `inputs` has tensor {name!r} twice.")
        names.add(name)
        _add_tensor(request, name, entry)
    for position, entry in enumerate(objects(document, "outputs")):
        request.outputs.append(_name(entry, "outputs", position))
    for key, value in parameters(document, "The request").items():
        set_parameter(request.parameters[key], key, value)
    return request


def encode_reply(reply: InferReply, *, model: str, version: str, id: str = "") -> bytes:  # noqa: A002
    """The JSON body of a reply. Raises `InvalidRequest` for BYTES that are not UTF-8: those need a binary reply."""
    document = reply_head(reply, model=model, version=version, id=id)
    document["outputs"] = [output_of(tensor) for tensor in reply.outputs]
    return dump(document)


def dump(document: Document) -> bytes:
    """A JSON body; arrays become lists."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def reply_head(reply: InferReply, *, model: str, version: str, id: str = "") -> Document:  # noqa: A002
    """A reply's object without its outputs."""
    document: Document = {"model_name": model, "model_version": version}
    if id:
        document["id"] = id
    if reply.parameters:
        document["parameters"] = {key: _value(parameter) for key, parameter in reply.parameters.items()}
    return document


def output_of(tensor: Tensor) -> Document:
    """One output as JSON, its data in a flat list."""
    flat = to_array(tensor).reshape(-1)
    data = _texts(tensor.name, flat) if tensor.datatype == "BYTES" else flat
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape), "data": data}


def objects(document: Document, field: str) -> list[Document]:
    """The list of objects in a field; an absent field is an empty list."""
    entries = document.get(field)
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidRequest("bad_request", f"Field `{field}` must be a list of objects.")
    return entries


def parameters(owner: Document, whose: str) -> Document:
    """The `parameters` of a request or tensor; absent ones are an empty object."""
    found = owner.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidRequest("bad_request", f"{whose} has `parameters` that are not an object.")
    return found


def set_parameter(parameter: Parameter, key: str, value: object) -> None:
    """Put a JSON value into a parameter."""
    if isinstance(value, bool):
        parameter.bool_value = value
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        parameter.int_value = value
    elif isinstance(value, float):
        parameter.double_value = value
    elif isinstance(value, str):
        parameter.string_value = value
    else:
        raise InvalidRequest("bad_request", f"Parameter {key!r} must be true, false, a 64-bit number or a text.")


def _name(entry: Document, field: str, position: int) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("bad_request", f"Field `{field}[{position}].name` must be a text that is not empty.")
    return name


def _add_tensor(request: InferRequest, name: str, entry: Document) -> None:
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or (datatype not in DTYPES and datatype != "BYTES"):
        raise InvalidRequest("input_datatype", f"Tensor {name!r} has datatype {brief(datatype)}; known are {KNOWN}.")
    shape = _shape(name, entry.get("shape"))
    data = entry.get("data")
    if isinstance(data, list):
        content = _encode(name, datatype, *_flatten(name, shape, data))
    elif isinstance(data, (bytes, bytearray, memoryview)):
        content = _raw(name, datatype, shape, data)
    else:
        raise InvalidRequest("bad_request", f"Tensor {name!r} needs its elements in a list `data`.")
    request.inputs.add(name=name, datatype=datatype, shape=shape, data=content)


def _shape(name: str, shape: object) -> list[int]:
    if isinstance(shape, list) and all(type(size) is int and 0 <= size < 2**63 for size in shape):
        return shape
    raise InvalidRequest("input_shape", f"Tensor {name!r} needs `shape`, a list of sizes from 0, not {brief(shape)}.")


def _raw(name: str, datatype: str, shape: list[int], data: bytes | bytearray | memoryview) -> bytes:
    if datatype != "BYTES" and prod(shape) * DTYPES[datatype].itemsize != len(data):
        raise InvalidRequest("input_shape", f"Tensor {name!r} says {datatype} {shape} but carries {len(data)} bytes.")
    return bytes(data)


def _flatten(name: str, shape: list[int], data: list[Any]) -> tuple[list[Any], set[type]]:
    """The elements in row-major order and which types they have; flat data needs the right number, nested the shape."""
    sizes = [len(data)]
    while (types := set(map(type, data))) == {list}:
        lengths = set(map(len, data))
        if len(lengths) > 1:
            raise InvalidRequest("input_shape", f"Tensor {name!r} has lists of different length in `data`.")
        sizes += lengths
        data = list(chain.from_iterable(data))
    if list in types:
        raise InvalidRequest("input_shape", f"Tensor {name!r} has lists beside single elements in `data`.")
    if (sizes[0] != prod(shape)) if len(sizes) == 1 else (sizes != shape):
        raise InvalidRequest("input_shape", f"Tensor {name!r} says {shape} but its `data` is {brief(sizes)}.")
    return data, types


def _encode(name: str, datatype: str, flat: list[Any], types: set[type]) -> bytes:
    if datatype == "BYTES" and types <= {str}:
        return b"".join([len(raw).to_bytes(4, "little") + raw for raw in map(str.encode, flat)])
    dtype = DTYPES.get(datatype)
    if dtype is not None and dtype.kind == "f" and types <= {float, int, NoneType}:
        with np.errstate(over="ignore"):
            array = np.array(flat, dtype)
        if not np.isinf(array).any():
            return array.tobytes()
    elif dtype is not None and dtype.kind != "f" and _whole(flat, types, dtype):
        return np.array(flat, dtype).tobytes()
    raise InvalidRequest("input_datatype", f"Tensor {name!r} has an element in `data` that is no {datatype}.")


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
        raise InvalidRequest("bad_request", f"Output {name!r} is not UTF-8 text: ask for a binary reply.") from None


def _value(parameter: Parameter) -> object:
    which = parameter.WhichOneof("value")
    return None if which is None else getattr(parameter, which)
