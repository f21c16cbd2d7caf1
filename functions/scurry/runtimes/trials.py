"""What a model gives, found out by running it twice.

Where the inputs are known and the outputs are not, one run tells how many there are and of which type, a second one,
with more rows and larger free dimensions, which of their dimensions are free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.runtimes.port import Port
from scurry.runtimes.samples import shape_of
from scurry.wire.errors import Failed
from scurry.wire.tensors import DTYPES, datatype_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.wire.tensors import Array

SIZES: Final = ((2, 8), (3, 9))
"""Rows and free dimensions of the two runs."""


def outputs_of(run: Callable[[Sequence[Array]], Sequence[Array]], inputs: Sequence[Port]) -> tuple[Port, ...]:
    """The outputs, called `OUTPUT__0` and so on. Raises whatever the model raises."""
    first, second = (list(run([_ones(port, rows, free) for port in inputs])) for rows, free in SIZES)
    if [each.ndim for each in first] != [each.ndim for each in second]:
        raise Failed(
            "load_failed", "How many outputs the model gives, or of how many dimensions, depends on its input."
        )
    return tuple(
        Port(f"OUTPUT__{at}", datatype_of(one.dtype), _shape(one.shape, other.shape))
        for at, (one, other) in enumerate(zip(first, second, strict=True))
    )


def _shape(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(here if here == there else -1 for here, there in zip(one, other, strict=True))


def _ones(port: Port, rows: int, free: int) -> Array:
    shape = shape_of(port, rows, free)
    return np.full(shape, "1", object) if port.datatype == "BYTES" else np.ones(shape, DTYPES[port.datatype])
