"""Padding, with which requests of several lengths share a call.

Axis 1 of an input, mostly the tokens of a text, is padded at its end up to the next of the stated sizes; outputs that
have a length for each token are cut back to what the caller sent. Whether a model's answer for the real tokens is the
same with padding behind them nobody can see from outside: it is done only where the config says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scurry.wire.tensors import Array


@dataclass(frozen=True, slots=True)
class Padding:
    """Axis 1 of one input of a request: `length` as it came, `size` as the model sees it."""

    length: int
    size: int
    value: float = 0

    def applied(self, array: Array) -> Array:
        """The array with what lacks behind it. A view where nothing does."""
        more = self.size - self.length
        if not more:
            return array
        widths = [(0, more if axis == 1 else 0) for axis in range(array.ndim)]
        return np.pad(array, widths, constant_values=self.value)


@dataclass(frozen=True, slots=True)
class PaddingRule:
    """What the config says of one input."""

    sizes: tuple[int, ...]
    value: float = 0
    trims: tuple[str, ...] = ()  # outputs whose axis 1 is as long as the input's

    def padded(self, length: int) -> Padding:
        """How an input of such a length is padded; one above all sizes is left as it is."""
        return Padding(length, next((size for size in self.sizes if size >= length), length), self.value)


NOT_PADDED = Padding(0, 0)
"""An input that is left as it is."""
