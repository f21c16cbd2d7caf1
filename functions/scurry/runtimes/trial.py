"""Tries a model that was opened: does it run, and how long.

Recorded samples first, then zeros, then random rows: the first that runs is what a sound model answers from then on.
"""

from __future__ import annotations

import time
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from scurry.runtimes.baseline import Baseline
from scurry.runtimes.samples import too_large
from scurry.runtimes.sequences import shown
from scurry.runtimes.warmup import guessed, recorded
from scurry.wire.errors import ScurryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.runtime import Runtime
    from scurry.wire.tensors import Array

TIMED_RUNS: Final = 4
TIMED_SECONDS: Final = 0.02
"""So often, or so long, a model is run to see how long a run of it takes."""


def try_out(model: Runtime) -> None:
    """Give the model its baseline; one that runs with nothing gets a warning."""
    failures: list[str] = []
    known = _samples(model)
    large = "" if known else too_large(model.inputs, 1)
    if large:
        failures.append(f"The model is not tried before its first request: {large}. A sample in model_warmup is.")
    samples = chain(zip(repeat(model.run), known), zip(repeat(model.run_guess), guessed(model.inputs)))
    for run, (name, arrays) in samples:
        try:
            outputs, again = run(arrays), timed(model, arrays)
        except ScurryError as failure:
            failures.append(f"{name} cannot be run: {failure.message}")
            continue
        model.baseline = Baseline(arrays, outputs, again)
        return
    model.warnings += failures[:1]


def timed(model: Runtime, arrays: Sequence[Array]) -> list[Array]:
    """Run it a few times if it is quick; others load beside it, so that the shortest tells what a run takes."""
    model.run(arrays)
    taken: list[float] = []
    while len(taken) < TIMED_RUNS and sum(taken) < TIMED_SECONDS:
        start = time.perf_counter()
        outputs = model.run(arrays)
        taken.append(time.perf_counter() - start)
    model.seconds = min(taken)
    return outputs


def _samples(model: Runtime) -> list[tuple[str, list[Array]]]:
    """Those of the config; of a sequence each is the first step."""
    samples = recorded(model.options.model_warmup, shown(model)[0], model.file.path)
    kept = model.sequences
    if kept is None:
        return list(samples)
    first = [kept.first], [("0", True, False)]
    return [(name, kept.arrays([each[:1] for each in arrays], *first)) for name, arrays in samples]
