"""Requests by the version and the level that they go to."""

from __future__ import annotations

from tests.unit.router.asking import NOW, route

from scurry.router.admission import Admission
from scurry.router.lanes import Lanes
from scurry.router.policy import Refusal
from scurry.router.ways import Ways
from scurry.wire.messages_pb2 import LaneCounters, Request, Routes, VersionRoute

NOBODY = Refusal("version_not_found", "No.")


def lanes(one: VersionRoute, **rules: int) -> Lanes:
    """A version with what holds for it."""
    return Lanes(one, LaneCounters(version=one.version), Admission.of(one, Routes(**rules)))


def late(request: Request) -> bool:
    """As the router has it."""
    return not request.sequence_id and 0 < request.deadline <= NOW


def test_each_goes_its_way_in_order() -> None:
    """By version and level; who has no version is told why."""
    versions = {"1": lanes(route("1")), "2": lanes(route("2", priority_levels=2, default_priority_level=1))}
    ways = Ways({}, NOW, late)
    asked = [Request(id=i, version=v, priority=p, bulk=b) for i, v, p, b in [
        ("a", "1", 2, False), ("b", "2", 2, False), ("c", "9", 0, False), ("d", "1", 0, True), ("e", "2", 0, False),
        ("f", "2", 2, False),
    ]]  # fmt: skip
    ways.sort(asked, lambda request: versions.get(request.version, NOBODY))
    ids = {way: [request.id for request in some] for way, some in ways.sorted.items()}
    assert ids == {("1", 0): ["a"], ("2", 1): ["b", "f"], ("1", 1): ["d"], ("2", 0): ["e"]}
    assert [(request.id, refusal) for request, refusal in ways.refused] == [("c", NOBODY)]
    assert not ways.touched


def test_what_gets_a_deadline_is_not_as_it_came() -> None:
    """So its bytes cannot go on as they are."""
    ways = Ways({}, NOW, late)
    ways.sort([Request(id="a", deadline=NOW + 5)], lambda _: lanes(route("1"), max_timeout_microseconds=9_000))
    assert not ways.touched
    ways.sort([Request(id="b")], lambda _: lanes(route("1"), max_timeout_microseconds=9_000))
    assert ways.touched


def test_a_step_that_is_late_goes_its_way_whatever_limit_holds() -> None:
    """A replay, later still, must decide as the first time."""
    ways = Ways({}, NOW, late)
    some = [Request(id="a", deadline=NOW - 1, sequence_id="7"), Request(id="b", deadline=NOW - 1)]
    ways.sort(some, lambda _: lanes(route("1"), max_timeout_microseconds=9_000))
    assert [[request.id for request in way] for way in ways.sorted.values()] == [["a"]]
    assert [request.id for request, _ in ways.refused] == ["b"]
