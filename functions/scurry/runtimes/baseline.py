"""An input that a model once answered, and what it answered.

Asked again after a failure it tells whether the model is still the one that was loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.runtimes.stacking import difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.wire.tensors import Array

FEW: Final = 64
"""Up to so many numbers a list of them is quicker than numpy."""


class Baseline:
    """What a sound model answers; `steady` when it answered the same twice."""

    __slots__ = ("inputs", "nan", "outputs", "steady")

    def __init__(self, inputs: Sequence[Array], outputs: Sequence[Array], again: Sequence[Array] | None = None) -> None:
        self.inputs, self.outputs = list(inputs), [np.array(each) for each in outputs]
        self.nan = has_nan(outputs)
        self.steady = again is not None and self._same(again)

    def agrees(self, outputs: Sequence[Array]) -> bool:
        """Whether a model that gives these outputs now is sound."""
        if len(outputs) != len(self.outputs) or (has_nan(outputs) and not self.nan):
            return False
        return not self.steady or self._same(outputs)

    def _same(self, outputs: Sequence[Array]) -> bool:
        return all(difference([here], [there]) is None for here, there in zip(outputs, self.outputs, strict=True))

    def __repr__(self) -> str:
        return f"<Baseline of {len(self.inputs)} inputs{', steady' if self.steady else ''}>"


def has_nan(outputs: Sequence[Array]) -> bool:
    """Whether there is a NaN.

    A few numbers are summed up as Python's own, at half the cost of asking numpy; should that give NaN, infinities may
    be to blame. Squares sum up to one only where there is one: infinities and overflow make infinity. `vdot` looks at
    no floating-point flags, so none has to be silenced.
    """
    for each in outputs:
        if each.dtype.kind == "V":  # BF16
            each = each.astype(np.float32)  # noqa: PLW2901
        if each.dtype.kind == "f":
            if each.size <= FEW and (total := sum(each.ravel().tolist())) == total:
                continue
            squared = np.vdot(each, each)
            if squared != squared:  # noqa: PLR0124 - only NaN differs from itself
                return True
    return False
