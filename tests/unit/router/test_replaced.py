"""What was sent to a spec that was replaced."""

from __future__ import annotations

import pytest

from scurry.router.replaced import leave_behind, left_behind
from scurry.wire.messages_pb2 import LaneCounters


def behind(*sent: int) -> LaneCounters:
    """Generation 3 was replaced when so many had been sent on each lane."""
    counters = LaneCounters(sent=sent, done=[0] * len(sent))
    leave_behind(counters, 3)
    return counters


@pytest.mark.parametrize(
    ("done", "away", "told"),
    [((5, 7), 0, 3), ((9, 9), 0, 3), ((5, 6), 0, 0), ((4, 7), 0, 0), ((5, 7), 1, 0), ((5,), 0, 3)],
)
def test_it_is_left_behind_when_every_lane_is_past_it(done: tuple[int, ...], away: int, told: int) -> None:
    """What was away when it was replaced counts as well; a lane that was forgotten was idle."""
    counters = behind(5, 7)
    counters.done[:] = done
    counters.away = away
    assert left_behind(counters) == told


def test_it_is_told_once() -> None:
    """Nor is anything kept of it."""
    counters = behind(5, 7)
    assert left_behind(counters) == 0
    assert left_behind(counters, expired=True) == 3
    assert left_behind(counters, expired=True) == 0
    assert (list(counters.leaving), counters.leaving_generation) == ([], 0)
