"""A model's answer as TensorFlow Serving's JSON.

What is not finite is written as the bare word NaN, Infinity or -Infinity, which JSON does not know but TensorFlow
Serving and Python's `json` do. A text is {"b64": "…"} where its output's name ends in `_bytes`, and where it is not
UTF-8.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from itertools import chain, zip_longest
from math import isnan
from typing import Final, cast

import numpy as np
import orjson

from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, Tensor
from scurry.wire.tensors import BF16, DTYPES, Array, is_float, to_array

AS_BYTES: Final = "_bytes"
SCORES: Final = ("scores", "probabilities")
"""Names of outputs with scores, if several could be."""
LABELS: Final = ("classes", "labels")


def encode_predictions(reply: InferReply, *, rows: bool) -> bytes:
    """The answer to a `:predict`, in rows or columns as it was asked. Raises `InvalidRequest` for what has no rows."""
    if rows:
        return _dump({"predictions": _in_rows(reply.outputs)})
    parts = {tensor.name: _whole(tensor) for tensor in reply.outputs}
    return _dump({"outputs": next(iter(parts.values())) if len(parts) == 1 else parts})


def encode_classes(reply: InferReply) -> bytes:
    """The answer to a `:classify`: pairs of a label and a score for each row. Raises `InvalidRequest`."""
    scored = _one_of(reply.outputs, SCORES, "scores")
    scores = _table(scored)
    named = _labels_of(scored, reply.outputs)
    if named is None:
        labels = [[""] * len(row) for row in scores]
    else:
        rows = to_array(named).reshape(scores.shape).tolist()
        labels = [[one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in row] for row in rows]
    pairs = [
        [[label, _numbers(score)] for label, score in zip(*both, strict=True)]
        for both in zip(labels, scores, strict=True)
    ]
    return _dump({"results": pairs})


def encode_values(reply: InferReply) -> bytes:
    """The answer to a `:regress`: one number for each row. Raises `InvalidRequest`."""
    tensor = _one_of(reply.outputs, ("outputs",), "values")
    values = _table(tensor)
    if values.shape[1] != 1:
        sentence = f"Output {tensor.name!r} has {values.shape[1]} values in each row, :regress answers with one"
        raise InvalidRequest("bad_request", f"{sentence}: use :predict.")
    return _dump({"results": _numbers(values.reshape(-1))})


def _in_rows(outputs: Sequence[Tensor]) -> object:
    sizes = {tensor.shape[0] if tensor.shape else -1 for tensor in outputs}
    if len(sizes) > 1 or -1 in sizes:
        shapes = ", ".join(f"{tensor.name!r} {list(tensor.shape)}" for tensor in outputs)
        sentence = f"The outputs have not the same number of rows: {shapes}; ask with `inputs` instead of `instances`."
        raise InvalidRequest("bad_request", sentence)
    if len(outputs) == 1:
        return _whole(outputs[0])
    names = [tensor.name for tensor in outputs]
    return [dict(zip(names, row, strict=True)) for row in zip(*map(_apart, outputs), strict=True)]


def _whole(tensor: Tensor) -> object:
    """A tensor as lists within lists."""
    array = to_array(tensor)
    return _texts(tensor.name, array) if tensor.datatype == "BYTES" else _numbers(array)


def _apart(tensor: Tensor) -> Sequence[object]:
    """The rows of a tensor."""
    array = to_array(tensor)
    if tensor.datatype == "BYTES":
        return cast("list[object]", _texts(tensor.name, array))
    array = array.astype(np.float32) if array.dtype == BF16 else array
    finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
    return list(array) if finite else [_numbers(row) for row in array]


def _numbers(array: Array) -> object:
    """Numbers as orjson takes them, or as the text that it cannot write."""
    if array.dtype == BF16:
        array = array.astype(np.float32)
    value = array if array.ndim else array[()]  # orjson takes no array without a dimension
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return value
    flat = np.asarray(array).reshape(-1)
    words = [b"NaN" if isnan(one) else b"Infinity" if one > 0 else b"-Infinity" for one in flat[~np.isfinite(flat)]]
    around = _dump(value).split(b"null")  # that is what orjson makes of them, in the same order
    return orjson.Fragment(b"".join(chain.from_iterable(zip_longest(around, words, fillvalue=b""))))


def _texts(name: str, array: Array) -> object:
    """Texts as lists within lists."""
    filled = np.empty(array.shape, object)
    as_bytes = name.endswith(AS_BYTES)
    filled.reshape(-1)[:] = [_text(one, as_bytes=as_bytes) for one in array.reshape(-1)]
    return filled.tolist()


def _text(raw: bytes, *, as_bytes: bool) -> object:
    if not as_bytes:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            pass
    return {"b64": binascii.b2a_base64(raw, newline=False).decode()}


def _one_of(outputs: Sequence[Tensor], names: Sequence[str], what: str) -> Tensor:
    """The one output of floating point numbers, or of several the one with such a name."""
    found = [tensor for tensor in outputs if tensor.datatype in DTYPES and is_float(DTYPES[tensor.datatype])]
    if len(found) > 1:
        found = [tensor for tensor in found if tensor.name in names or tensor.name.endswith("_values")]
    if len(found) == 1:
        return found[0]
    have = ", ".join(f"{tensor.name!r} ({tensor.datatype})" for tensor in outputs) or "none"
    raise InvalidRequest("bad_request", f"Which output has the {what} cannot be told from {have}: use :predict.")


def _table(tensor: Tensor) -> Array:
    """A tensor's values, a row for each example. Raises `InvalidRequest` for other dimensions than one or two."""
    array = to_array(tensor)
    if array.ndim not in {1, 2}:
        sentence = f"Output {tensor.name!r} is {list(tensor.shape)}, not a row of values for each example"
        raise InvalidRequest("bad_request", f"{sentence}: use :predict.")
    return array.reshape(-1, 1) if array.ndim == 1 else array


def _labels_of(scored: Tensor, outputs: Sequence[Tensor]) -> Tensor | None:
    """The output with a label for each score: texts, or numbers that are called so."""
    same = [tensor for tensor in outputs if tensor is not scored and list(tensor.shape) == list(scored.shape)]
    texts = [tensor for tensor in same if tensor.datatype == "BYTES"]
    numbers = [tensor for tensor in same if tensor.name in LABELS or tensor.name.endswith("_indices")]
    return next(iter([*texts, *numbers]), None)


def _dump(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
