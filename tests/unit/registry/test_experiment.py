"""Which experiment a split is part of."""

from __future__ import annotations

from tests.unit.registry.course import Course, register, update

from scurry.registry.record import routes_of


def three() -> Course:
    """Three versions that are ready."""
    out = Course()
    for version in ("1", "2", "3"):
        out.on(register(version)).load(version)
    return out


def number(out: Course) -> int:
    """The salt that the router gets."""
    return routes_of(out.record).experiment


def test_a_version_that_gets_its_first_share_begins_another() -> None:
    """Not always the same callers are the first."""
    out = three().on(update("split", weights={"1": 99, "2": 1}))
    first = number(out)
    assert first == out.record.sequence
    assert number(out.on(update("split", weights={"1": 99, "2": 0, "3": 1}))) > first


def test_while_a_canary_grows_and_when_it_comes_back_it_stays() -> None:
    """Whoever was with a version stays with it."""
    out = three().on(update("split", weights={"1": 99, "2": 1}))
    first = number(out)
    for weights in ({"1": 95, "2": 5}, {"1": 1, "2": 99}, {"2": 100}):
        assert number(out.on(update("split", weights=weights))) == first
    assert number(out.on(update("rollback"))) == first
    assert number(out.on(update("promote", version="1"), update("unregister", version="3"))) == first
