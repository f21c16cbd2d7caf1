"""What a Cluster Serving client sends: named columns of one record.

Numbers, sparse tensors and texts, as an Arrow record batch or as JSON instances brought them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import orjson

from scurry.wire.errors import InvalidRequest
from scurry.wire.limits import DIMENSIONS
from scurry.wire.tensors import Array

MOST_ELEMENTS: Final = 1 << 26
"""Elements of a sparse tensor, zeros included: what is small when it is sent must not fill the memory."""
SPARSE: Final = ("shape", "data", "indices")
"""What a sparse tensor has in JSON: a row of `indices` for each of `data`."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Numbers of any shape; texts of any shape, where a client can tell them."""

    name: str
    array: Array


@dataclass(frozen=True, slots=True)
class Sparse:
    """Numbers at places, everything else zero."""

    name: str
    indices: Array  # a row for each value
    values: Array
    shape: tuple[int, ...]

    def dense(self) -> Array:
        """All of it. Raises `InvalidRequest` for what has no end, or lies outside."""
        if prod(self.shape) > MOST_ELEMENTS:
            raise wrong(self.name, f"has the shape {list(self.shape)}: at most {MOST_ELEMENTS} elements may be")
        whole = np.zeros(self.shape, np.float32)
        np.add.at(whole, tuple(self.indices.T), self.values)
        return whole


@dataclass(frozen=True, slots=True)
class Text:
    """One text: a picture in base64, or texts with `|` between them."""

    name: str
    text: str


Column = Dense | Sparse | Text


def wrong(name: str, what: str, code: str = "input_shape") -> InvalidRequest:
    """What is wrong with one input, as a sentence."""
    return InvalidRequest(code, f"Input {name[:128]!r} {what}.")


def dense(name: str, values: Array, shape: Array) -> Dense:
    """Numbers in the shape that came with them. Raises `InvalidRequest`."""
    return Dense(name, values.reshape(_shape(name, shape, len(values))))


def sparse(name: str, indices: Array, indices_shape: Array, values: Array, shape: Array) -> Sparse:
    """A sparse tensor, whose indices may stand in rows or in columns. Raises `InvalidRequest`.

    Clients follow two documents: one has a row for each dimension, one a row for each value. Where both would do, the
    first holds, which is the Python client's.
    """
    sizes = _shape(name, shape)
    stated, here = [int(size) for size in indices_shape], [len(sizes), len(values)]
    if len(indices) != prod(here) or stated not in (here, here[::-1]):
        raise wrong(name, f"has indices of the shape {stated[:8]} for {here[1]} values of {here[0]} dimensions")
    rows = indices.reshape(here).T if stated == here else indices.reshape(here[::-1])
    return _within(Sparse(name, rows.astype(np.int64), values, sizes))


def read_instances(body: bytes) -> list[Column]:
    """The first of the instances that a JSON body holds, which is the one that is answered. Raises `InvalidRequest`."""
    return columns_of(instances_of(body)[0])


def instances_of(body: bytes) -> list[dict[str, Any]]:
    """All of the instances that a JSON body holds, one at least. Raises `InvalidRequest`."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise InvalidRequest("bad_request", f"The data is not JSON: {cause}.") from None
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances or not all(isinstance(each, dict) for each in instances):
        raise InvalidRequest("bad_request", "The data must be an object with `instances`, a list of objects.")
    return instances


def columns_of(instance: dict[str, Any]) -> list[Column]:
    """The columns of one instance. Raises `InvalidRequest`."""
    return [_instance(name, value) for name, value in instance.items()]


def _instance(name: str, value: object) -> Column:
    if isinstance(value, str):
        return Text(name, value)
    if isinstance(value, dict):
        return _object(name, value)
    try:
        array = np.array(value)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind == "U":
        return Dense(name, array.astype(object))
    if array.dtype.kind not in "biuf" or array.ndim > DIMENSIONS:
        raise wrong(name, "must be a number, a text, a list of them with rows of one length, or a sparse tensor")
    return Dense(name, array)


def _object(name: str, value: dict[str, Any]) -> Column:
    if isinstance(value.get("b64"), str):
        return Text(name, value["b64"])
    if not value.keys() >= set(SPARSE):
        raise wrong(name, "is an object that has neither b64 nor shape, data and indices", "input_datatype")
    try:
        shape, values, rows = (np.array(value[part], kind) for part, kind in zip(SPARSE, "ldl", strict=True))
    except (ValueError, TypeError, OverflowError):
        raise wrong(name, "is a sparse tensor whose shape, data and indices are not lists of numbers") from None
    sizes = _shape(name, shape)
    if values.ndim != 1 or rows.size != len(values) * len(sizes) or (len(values) and rows.ndim != 2):
        raise wrong(name, f"must have a row of {len(sizes)} indices for each of its {values.size} values")
    by_row = rows.shape != (len(sizes), len(values)) or rows.shape[0] == rows.shape[1]
    indices = rows.reshape(len(values), len(sizes)) if by_row else rows.T
    return _within(Sparse(name, indices, values, sizes))


def _within(one: Sparse) -> Sparse:
    if ((one.indices < 0) | (one.indices >= np.array(one.shape))).any():
        raise wrong(one.name, f"has an index outside of {list(one.shape)}")
    return one


def _shape(name: str, shape: Array, size: int | None = None) -> tuple[int, ...]:
    """A shape that makes sense, and that so many values fill."""
    sizes = tuple(int(each) for each in shape.ravel()[: DIMENSIONS + 1])
    if len(sizes) > DIMENSIONS or any(each < 0 for each in sizes):
        raise wrong(name, f"has the shape {list(sizes)}: at most {DIMENSIONS} dimensions may be, none below 0")
    if size is not None and prod(sizes) != size:
        raise wrong(name, f"has the shape {list(sizes)}, but {size} values")
    return sizes
