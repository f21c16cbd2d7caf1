"""Costs fitted to measurements."""

from __future__ import annotations

import pytest
from benchmarks.cost_model import CostModel, Point, fit
from hypothesis import given
from hypothesis import strategies as st

KNOWN = CostModel(
    0.01,
    0.001,
    {"job": (0.05, 20e-6, 100e-6, 40e-6), "redis": (0.01, 15e-6, 0.0, 60e-6), "bytes": (0.0, 600.0, 400.0, 100.0)},
)
LOADS = [(rate, models) for rate in (100, 1000, 5000, 20_000) for models in (1, 30, 1000)]


def point(rate: float, models: int, model: CostModel = KNOWN) -> Point:
    """What a model takes."""
    return Point(rate, models, {part: model.takes(part, rate, models) for part in model.costs})


def test_costs_are_found_again() -> None:
    """At loads they were fitted to, and between them; what each request costs is found itself."""
    found = fit([point(*load) for load in LOADS], tuple(KNOWN.costs))
    assert found.worst([point(*load) for load in LOADS]) < 0.02
    assert found.worst([point(2500, 100), point(400, 7)]) < 0.05
    assert found.costs["job"][1] == pytest.approx(20e-6, rel=0.15)


def test_no_cost_is_negative_whatever_was_measured() -> None:
    """Rather less exact than a part that gives back what it took."""
    odd = [Point(rate, models, {"job": 1.0 / rate}) for rate, models in LOADS]
    assert min(fit(odd, ("job",)).costs["job"]) >= 0


def test_parts_are_divided_until_none_takes_too_much() -> None:
    """A part whose idle alone is too much cannot be."""
    count = KNOWN.processes("job", 100_000, 1000)
    assert KNOWN.takes("job", 100_000 / count, 1000 // count) <= 0.7
    assert count >= 100_000 * 20e-6 / 0.7
    assert KNOWN.processes("job", 100, 1) == 1
    assert KNOWN.processes("job", 100, 1, most=0.01) == 0


def test_no_process_is_given_more_than_was_measured() -> None:
    """However little it would take by the fitted costs."""
    found = fit([point(*load) for load in LOADS], ("redis",))
    assert found.processes("redis", 1_000_000, 1000, most=1e9) == 50


@given(rate=st.floats(1, 1e6), models=st.integers(1, 100_000))
def test_more_requests_take_more_and_models_never_less(rate: float, models: int) -> None:
    """Whatever the costs: they are what grows with the load."""
    for part in KNOWN.costs:
        assert KNOWN.takes(part, rate * 1.1, models) > KNOWN.takes(part, rate, models)
        assert KNOWN.takes(part, rate, models + 1) >= KNOWN.takes(part, rate, models)


def test_points_are_rows_of_the_measurements() -> None:
    """With what each part took."""
    row = {"per_second": 5.0, "models": 2, "takes": {"job": 0.1}, "p50_ms": 1.0}
    assert Point.of(row) == Point(5.0, 2, {"job": 0.1})
