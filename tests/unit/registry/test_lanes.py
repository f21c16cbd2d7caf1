"""How many lanes a version has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.registry.course import update

from scurry.registry.lanes import clamped, configured, in_force, span, to_load, view
from scurry.registry.update import read
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import LaneRange
from scurry.wire.names import LANES, MOST_LANES

THREE = '{"instance_group":[{"count":3}]}'


@pytest.mark.parametrize(
    ("told", "config", "expected"),
    [
        (LaneRange(), "", (0, 0)),
        (LaneRange(), THREE, (3, 3)),
        (LaneRange(min=1), THREE, (1, 1)),
        (LaneRange(min=1, max=4), "", (1, 4)),
        (LaneRange(max=4), THREE, (3, 4)),
        (LaneRange(max=2), THREE, (2, 2)),
        (LaneRange(max=4), "", (2, 4)),
        (LaneRange(max=1), "", (1, 1)),
    ],
)
def test_the_message_is_before_the_config(told: LaneRange, config: str, expected: tuple[int, int]) -> None:
    """What neither says is left to the router."""
    assert span(told, config) == expected


@given(st.integers(0, 16), st.integers(0, 16), st.integers(0, 16))
def test_lanes_stay_within_what_is_told(fewest: int, more: int, lanes: int) -> None:
    """Whatever there was: all that take requests are loaded first."""
    told = LaneRange(min=fewest, max=min(fewest + more, 16) if more else 0)
    low, high = span(told, "")
    assert low <= clamped(told, "", lanes) <= high
    assert to_load(told, "", lanes) == (clamped(told, "", lanes) or LANES)
    assert in_force(told, "", lanes) <= high
    shown = view(told, "", lanes)
    assert shown["count"] <= shown["max"]


def test_without_a_number_it_is_as_ever() -> None:
    """Two, and up to sixteen while those are full."""
    assert view(LaneRange(), "", 0) == {"count": LANES, "min": LANES, "max": MOST_LANES}
    assert view(LaneRange(min=1, max=4), "", 3) == {"count": 3, "min": 1, "max": 4}
    assert configured("").lanes == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"min": -1}, "lanes.min must be a whole number from 0 to 16"),
        ({"max": 17}, "lanes.max must be a whole number from 0 to 16"),
        ({"min": True}, "lanes.min must be a whole number"),
        ({"min": 3, "max": 2}, "lanes.min is above lanes.max"),
        ({"count": 3}, "lanes has no field 'count'; it has min, max"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(fields: dict[str, object], words: str) -> None:
    """The sentence names the field."""
    with pytest.raises(InvalidRequest) as raised:
        read(update("lanes", **fields))
    assert words in raised.value.message
