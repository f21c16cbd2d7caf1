"""Reports that lanes owe."""

from __future__ import annotations

from scurry.router.owing import owe, owing, unasked
from scurry.wire.messages_pb2 import LaneCounters


def test_a_lane_is_asked_once() -> None:
    """For all that was sent to it since it was asked last."""
    counters = LaneCounters(sent=[5, 3, 0], done=[2, 3, 0], asked=[2, 3, 0])
    assert unasked(counters) == [(0, 5)]
    assert unasked(counters) == []


def test_what_came_back_leaves_its_lane_with_something_to_say() -> None:
    """It counts as finished, but what it answered before is not told yet."""
    counters = LaneCounters(sent=[5, 3], done=[5, 3], asked=[5, 3])
    assert not owing(counters)
    owe(counters, 1)
    owe(counters, 7)
    assert owing(counters)
    assert unasked(counters) == [(1, 3)]
    assert not owing(counters)
