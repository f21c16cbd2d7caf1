"""What a run comes to."""

from __future__ import annotations

import pytest

from scurry.bench.figures import figures, verdict
from scurry.bench.load import Tally


def tally_of(*latencies: float, cpu: float = 0.1) -> Tally:
    """A tally of one second."""
    tally = Tally(seconds=1.0, cpu=cpu, answered=len(latencies))
    tally.latencies.extend(latencies)
    return tally


def test_figures_add_up() -> None:
    """Rates and percentiles come from the window; failures of every kind are one number."""
    tally = tally_of(0.001, 0.002, 0.003)
    tally.errors["overloaded"], tally.lost, tally.strays = 2, 1, 1
    one = figures(tally, door="redis", load="3 callers", models=1, size=64)
    assert (one.per_second, one.p50_ms, one.max_ms, one.failed) == (3.0, 2.0, 3.0, 4)
    assert one.generator_percent == pytest.approx(10)
    assert one.row()["failed"] == 4


def test_no_answer_is_no_figure_but_no_crash() -> None:
    """A run without one good answer still reports its errors."""
    one = figures(tally_of(), door="redis", load="1 callers", models=1, size=64)
    assert (one.per_second, one.p50_ms) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("share", "late_ms", "says"),
    [(0.5, 1.0, ""), (0.9, 1.0, "generator itself is the bottleneck"), (0.5, 30.0, "kept waiting")],
)
def test_generator_says_when_it_is_in_its_own_way(share: float, late_ms: float, says: str) -> None:
    """A generator at the end of its core, or one that sends late, says so."""
    said = verdict(share, late_ms)
    assert says in said
    assert bool(said) == bool(says)
