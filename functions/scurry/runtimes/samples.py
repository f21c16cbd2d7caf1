"""Inputs to try a model with: zeros, and rows drawn at random.

Random rows differ in size as well as in content, so that whatever one row does to its neighbours shows. Which values
make sense depends on the model: floats of either sign or from 0 to 1, whole numbers that may be pixels or places in a
table, texts of several words, that a model may split, or that are numbers. So there are several kinds to try. Pure: a
seed decides.
"""

from __future__ import annotations

from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.port import Port

KINDS: Final = ("wide", "unit", "small")
"""Floats of either sign and many sizes, whole numbers up to 255 · floats from 0 to 1, up to 9 · 0 and 1 only."""
LARGEST: Final = {"wide": 256, "unit": 10, "small": 2}
FREE_SIZE: Final = 8
"""Size of a free dimension other than the rows."""
MOST_BYTES: Final = 128 << 20
"""A model is tried with no more: it runs in the worker, beside the others."""
TEXT_BYTES: Final = 64
BETWEEN: Final = tuple(" ,;.:-_/|\t")
"""What may stand between words."""
MOST_WORDS: Final = 12
MOST_TEXTS: Final = 256
"""So many of an input have several words."""


def too_large(ports: Sequence[Port], rows: int) -> str:
    """Why so many rows are not made up, in half a sentence; empty where they may be."""
    sizes = [prod(shape_of(port, rows, FREE_SIZE)) * _width(port.datatype) for port in ports]
    if sum(sizes) <= MOST_BYTES:
        return ""
    return f"{rows} made-up row{'s' * (rows > 1)} would take {sum(sizes) / 2**20:,.0f} MiB of memory"


def _width(datatype: str) -> int:
    return DTYPES[datatype].itemsize if datatype in DTYPES else TEXT_BYTES


def zeros(ports: Sequence[Port], rows: int) -> list[Array]:
    """Zeros, or empty texts, for every input; free dimensions are 1."""
    return [_zeros(port, shape_of(port, rows, 1)) for port in ports]


def draw(ports: Sequence[Port], rows: int, seed: int, kind: str) -> list[Array]:
    """Random rows for every input."""
    rng = np.random.default_rng(seed)
    return [_random(port.datatype, shape_of(port, rows, FREE_SIZE), rng, kind) for port in ports]


def shape_of(port: Port, rows: int, free: int) -> tuple[int, ...]:
    """A shape that the port takes: so many rows where it takes any, `free` in other free dimensions."""
    return tuple((rows if at == 0 else free) if size < 0 else size for at, size in enumerate(port.shape))


def _zeros(port: Port, shape: tuple[int, ...]) -> Array:
    if port.datatype == "BYTES":
        empty: np.ndarray[Any, np.dtype[Any]] = np.full(shape, "", dtype=object)
        return empty
    return np.zeros(shape, DTYPES[port.datatype])


def _random(datatype: str, shape: tuple[int, ...], rng: np.random.Generator, kind: str) -> Array:
    if datatype == "BYTES":
        return _texts(shape, rng, kind)
    dtype = DTYPES[datatype]
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0, min(LARGEST[kind], np.iinfo(dtype).max), shape).astype(dtype)
    if kind == "small":
        return rng.integers(0, 2, shape).astype(dtype)
    values = rng.standard_normal(shape) if kind == "wide" else rng.random(shape)
    scale = 10.0 ** rng.uniform(-1, 1, (*shape[:1], *(1 for _ in shape[1:]))) if kind == "wide" else 1.0
    return (values * scale).astype(dtype)


def _texts(shape: tuple[int, ...], rng: np.random.Generator, kind: str) -> Array:
    """Numbers; of the first kind one to many in each text."""
    texts = rng.integers(0, LARGEST[kind], shape).astype(str).astype(object)
    if kind == KINDS[0]:
        for at in islice(np.ndindex(shape), MOST_TEXTS):
            for _ in range(rng.integers(MOST_WORDS)):
                texts[at] += f"{rng.choice(BETWEEN)}{rng.integers(LARGEST[kind])}"
    return texts
