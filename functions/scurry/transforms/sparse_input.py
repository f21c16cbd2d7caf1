"""A model's input that is made of sparse tensors.

A row of `indices` is one list of positions (as many × dimensions), `values` has a number for each, `shape` is the row's
own. Values at one place add up, as in torch and SciPy, so that rows of different length can be padded with zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.transforms import config
from scurry.transforms.specs import Preparation, Spec, Unusable
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KNOWN: Final = frozenset({"input", "to", "sparse"})
PARTS: Final = ("indices", "values", "shape")
MOST_ELEMENTS: Final = 1 << 24
"""Elements of a row, zeros included: what is small when it is sent must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """One row, dense."""

    shape: tuple[int, ...]  # of the model's row; -1 is any
    dtype: np.dtype[Any]

    def row(self, sent: Sequence[Any]) -> Array:
        """The dense row. Raises `Unusable`."""
        indices, values, stated = sent
        shape = tuple(int(size) for size in stated)
        if any(size < 0 or want not in (-1, size) for size, want in zip(shape, self.shape, strict=True)):
            raise Unusable(f"has the shape {list(shape)}; the model takes {list(self.shape)}")
        if max(*shape, prod(shape)) > MOST_ELEMENTS:
            raise Unusable(f"has the shape {list(shape)}: at most {MOST_ELEMENTS} elements may be")
        if len(indices) != len(values):
            raise Unusable(f"has {len(indices)} indices for {len(values)} values")
        outside = ((indices < 0) | (indices >= np.array(shape))).any(axis=1)
        if outside.any():
            raise Unusable(f"has an index outside of {list(shape)}: {indices[outside.argmax()].tolist()}")
        dense = np.zeros(shape, self.dtype)
        np.add.at(dense, tuple(indices.T), values)
        return dense


def prepare(where: str, entry: Mapping[str, Any], to: Spec) -> Preparation:
    """How three tensors become this input. Raises `load_failed`."""
    config.step(where, entry, KNOWN)
    name = config.text(where, entry, "input", to.name)
    given = entry["sparse"]
    given = config.step(f"{where}.sparse", {} if given is True else given, PARTS)
    names = [config.text(f"{where}.sparse", given, part, f"{name}_{part}") for part in PARTS]
    dtype = DTYPES.get(to.datatype)
    if dtype is None or dtype.kind == "b" or len(to.shape) < 2:
        config.refuse(where, f"gives rows of numbers, but input {to.name!r} is {to.datatype} {list(to.shape)}")
    rows, inner = to.shape[0], to.shape[1:]
    shapes = ((rows, -1, len(inner)), (rows, -1), (rows, len(inner)))
    datatypes = ("INT64", to.datatype, "INT64")
    takes = tuple(map(Spec, names, datatypes, shapes))
    sample = tuple(max(1, size) for size in inner)
    tried = (np.zeros((1, len(inner)), np.int64), np.ones(1, dtype), np.array(sample))
    return Preparation(to, takes, Sparse(inner, dtype).row, tried)
