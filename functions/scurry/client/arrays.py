"""Numpy arrays to and from requests and replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from scurry.client.bodies import KeyOf, Parameters, Parked, is_large
from scurry.protocols.oip_json import set_parameter
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import DTYPES, Array, datatype_of, is_float, to_array, to_bytes

WIDEST: Final = (np.dtype(np.float64), np.dtype(np.int64))
"""What numpy makes of Python's numbers, and of arrays nobody gave a type."""


def is_unsure(inputs: Mapping[str, npt.ArrayLike]) -> bool:
    """Whether the model's own data types should be known: something has the type it has by default."""
    return any(not isinstance(value, np.ndarray | np.generic) or value.dtype in WIDEST for value in inputs.values())


def pack(
    inputs: Mapping[str, npt.ArrayLike],
    outputs: Sequence[str],
    key_of: KeyOf,
    datatypes: Mapping[str, str],
    parameters: Parameters | None = None,
) -> tuple[InferRequest, Parked]:
    """A request with these inputs; large ones are parked without having been in the message.

    An input whose data type is known is cast to it where no value is lost.
    """
    request, parked = InferRequest(outputs=outputs), list[tuple[str, bytes]]()
    for name, told in (parameters or {}).items():
        set_parameter(request.parameters[name], name, told)
    for name, value in inputs.items():
        array = fit(_array(name, value), datatypes.get(name, ""))
        datatype = _datatype(name, array)
        data = to_bytes(array, datatype)
        tensor = request.inputs.add(name=name, datatype=datatype, shape=array.shape)
        if is_large(data):
            tensor.payload = key_of(name, data)
            parked.append((tensor.payload, data))
        else:
            tensor.data = data
    return request, parked


def _array(name: str, value: npt.ArrayLike) -> Array:
    """An input as numpy has it. Raises `InvalidRequest` for what is no tensor of numbers or texts."""
    try:
        array = np.asarray(value)
    except ValueError:
        sentence = f"Input {name!r} has lists of different length side by side."
        raise InvalidRequest("input_shape", sentence) from None
    if array.dtype.kind == "O":
        strange = [type(one).__name__ for one in array.ravel() if not isinstance(one, str | bytes)]
        if strange:
            sentence = f"Input {name!r} has an element of type {strange[0]}: send numbers, texts or bytes."
            raise InvalidRequest("input_datatype", sentence)
    return array


def _datatype(name: str, array: Array) -> str:
    try:
        return datatype_of(array.dtype)
    except InvalidRequest as cause:
        raise InvalidRequest(cause.code, f"Input {name!r}: {cause.message}") from None


def fit(array: Array, datatype: str) -> Array:
    """The array in this data type where no value is lost, else as it is: the worker then says what is wrong.

    Lost is a whole number that is no longer the same, a fraction made whole, a finite number made infinite. Digits of a
    fraction that a shorter float does not hold are not.
    """
    wanted = DTYPES.get(datatype)
    if wanted is None or array.dtype not in WIDEST or array.dtype == wanted or wanted.kind == "b":
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(wanted)
        if array.dtype.kind == "f" and is_float(wanted):
            kept = np.isinf(cast) == np.isinf(array)
        else:
            kept = cast.astype(array.dtype) == array
            kept &= (cast < 0) == (array < 0)  # a large value may wrap round and back
    return cast if kept.all() else array


def unpack(reply: InferReply) -> dict[str, Array]:
    """The outputs under their names."""
    return {tensor.name: to_array(tensor) for tensor in reply.outputs}
