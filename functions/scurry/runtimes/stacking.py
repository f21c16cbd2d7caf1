"""Shows whether rows are independent of each other, by trying.

Random rows are run together and the same rows singly, in several sizes and with several seeds; every output must be
the same both ways. Rows that give different outputs when run singly twice come from a model with state or randomness:
nothing can be shown for it. Floats may differ by what reductions in another order make of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.runtimes.options import MAX_BATCH_SIZE
from scurry.runtimes.samples import KINDS, draw, too_large
from scurry.wire.errors import Failed, ScurryError
from scurry.wire.tensors import is_float

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.runtimes.port import Port
    from scurry.wire.tensors import Array

    Run = Callable[[Sequence[Array]], list[Array]]

SIZES: Final = (2, 3, 5, 2)
"""Rows run together; each trial with a seed of its own."""
ENOUGH_SECONDS: Final = 2.0
"""A model for which two trials took longer than this is judged by them."""
TOLERANCE: Final = {2: 2e-2, 4: 1e-4, 8: 1e-8}
"""By the bytes of a float: difference allowed, relative to the largest value of the row's output."""
OF_ALL: Final = 0.01
"""How much of the largest value of all rows counts as well: small rows come from sums of larger numbers."""

INDEPENDENT: Final = "independent"
DEPENDENT: Final = "dependent"
UNSTEADY: Final = "unsteady"
UNTRIED: Final = "untried"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the trial showed, and the sentence that says so."""

    verdict: str
    sentence: str = ""


def decide(run: Run, inputs: Sequence[Port], outputs: Sequence[Port], wish: int | None) -> tuple[int, str]:
    """How many rows may share a model call, and what whoever reads the record should know.

    1. Nobody is asked to stack: they are not.
    2. The model takes a fixed number of rows: nothing to stack.
    3. Free inner dimensions, state, randomness: independence cannot be shown. Only an explicit wish stacks.
    4. Else what was shown decides. A wish against it is refused. Raises `load_failed`.
    """
    if wish is not None and wish <= 1:
        return 1, ""
    fixed = next((port for port in (*inputs, *outputs) if not port.shape or port.shape[0] >= 0), None)
    if not inputs or fixed is not None:
        if wish is None:
            return 1, ""
        what = f"{fixed.name!r} is {list(fixed.shape)}: its first dimension is fixed" if fixed else "it takes no input"
        raise Failed("load_failed", f"max_batch_size {wish} is asked for, but the model cannot be stacked: {what}.")
    free = next((port for port in inputs if any(size < 0 for size in port.shape[1:])), None)
    if free is not None and wish is None:
        cause = f"input {free.name!r} is {list(free.shape)}, and rows of every size cannot be tried"
        return 1, f"Requests are not stacked: {cause}. If its rows are independent, set max_batch_size."
    finding = examine(run, inputs, outputs)
    if finding.verdict == INDEPENDENT:
        return wish or MAX_BATCH_SIZE, ""
    if wish is None:
        return 1, f"Requests are not stacked: {finding.sentence}."
    if finding.verdict == DEPENDENT:
        raise Failed("load_failed", f"max_batch_size {wish} is asked for, but {finding.sentence}.")
    return wish, f"Requests are stacked only because max_batch_size says so: {finding.sentence}."


def examine(run: Run, inputs: Sequence[Port], outputs: Sequence[Port]) -> Finding:
    """Try rows together and singly, with every kind of rows that the model can run, most of the first."""
    shown, why, start = 0, "", time.perf_counter()
    for kind in KINDS:
        for seed, rows in enumerate(SIZES[1:2] if shown else SIZES):
            if shown > 1 and time.perf_counter() - start > ENOUGH_SECONDS:
                break
            large = too_large(inputs, rows)
            finding = Finding(UNTRIED, large) if large else _try(run, draw(inputs, rows, seed, kind), outputs)
            if finding.verdict == UNTRIED:
                why = why or finding.sentence
                break
            if finding.verdict != INDEPENDENT:
                return finding
            shown += 1
    return Finding(INDEPENDENT) if shown > 1 else Finding(UNTRIED, why)


def _try(run: Run, arrays: Sequence[Array], outputs: Sequence[Port]) -> Finding:
    rows = len(arrays[0])
    try:
        alone = [run([each[at : at + 1] for each in arrays]) for at in range(rows)]
        again = run([each[:1] for each in arrays])
    except ScurryError as failure:
        return Finding(UNTRIED, f"random rows could not be run: {failure.message.rstrip('.')}")
    for port, first, second in zip(outputs, alone[0], again, strict=True):
        if difference([first], [second]) is not None:
            return Finding(UNSTEADY, f"output {port.name!r} is not the same when the same row is run again")
        if is_float(first.dtype) and not np.isfinite(first).any():
            return Finding(UNTRIED, f"random rows give no finite number in output {port.name!r}")
    try:
        together = run(arrays)
    except ScurryError as failure:
        return Finding(DEPENDENT, f"{rows} rows together cannot be run: {failure.message.rstrip('.')}")
    found = (_compare(port, whole, each) for port, whole, *each in zip(outputs, together, *alone, strict=True))
    return next((each for each in found if each is not None), Finding(INDEPENDENT))


def _compare(port: Port, whole: Array, alone: Sequence[Array]) -> Finding | None:
    """One output of rows that were run together, against the same rows run singly."""
    rows = len(alone)
    if whole.ndim == 0 or len(whole) != rows:
        return Finding(DEPENDENT, f"{rows} rows together give {list(whole.shape)} of output {port.name!r}")
    found = difference([whole[row : row + 1] for row in range(rows)], alone)
    if found is None:
        return None
    return Finding(DEPENDENT, f"{rows} rows together and singly give different values of output {port.name!r}: {found}")


def difference(these: Sequence[Array], those: Sequence[Array]) -> str | None:
    """How two runs of the same rows differ; None when they do not."""
    if [each.shape for each in these] != [each.shape for each in those]:
        return f"shapes {[list(each.shape) for each in these]} and {[list(each.shape) for each in those]}"
    these, those = [np.asarray(each) for each in these], [np.asarray(each) for each in those]
    if not is_float(these[0].dtype):
        for here, there in zip(these, those, strict=True):
            if not np.array_equal(here, there):
                return _first(here, there, here != there)
        return None
    tolerance = TOLERANCE[these[0].dtype.itemsize]
    if these[0].dtype.kind != "f":  # BF16
        these, those = [each.astype(np.float32) for each in these], [each.astype(np.float32) for each in those]
    overall = max(map(_largest, those), default=0.0)
    for here, there in zip(these, those, strict=True):
        allowed = tolerance * (_largest(there) + OF_ALL * overall)
        with np.errstate(invalid="ignore"):
            off = ~((np.abs(here - there) <= allowed) | (here == there) | (np.isnan(here) & np.isnan(there)))
        if off.any():
            return _first(here, there, off)
    return None


def _largest(array: Array) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0


def _first(here: Array, there: Array, off: Array) -> str:
    at = tuple(int(each[0]) for each in np.nonzero(np.asarray(off)))
    return f"{here[at]!s} and {there[at]!s}"
