"""How much of one model a bridge may have under way."""

from __future__ import annotations

from scurry.serving.outstanding import MOST, STILL_S, Outstanding


def test_what_is_answered_makes_room() -> None:
    """The counter counts from long before us."""
    one = Outstanding(0)
    assert one.room == MOST
    one.note(100, 5000, 1)
    assert one.room == MOST - 100
    one.note(MOST - 100, 5000, 2)
    assert (one.room, repr(one)) == (0, f"<Outstanding {MOST} of {MOST}>")
    one.note(0, 5060, 3)
    assert one.room == 60


def test_others_answers_make_no_more_room_than_there_is() -> None:
    """They move the counter too."""
    one = Outstanding(0)
    one.note(10, 0, 0)
    one.note(0, 1000, 1)
    assert one.room == MOST
    one.note(MOST, 1000, 2)
    assert one.room == 0


def test_a_counter_that_was_lost_or_stands_still_begins_anew() -> None:
    """Not while answers come, however few."""
    one = Outstanding(0)
    one.note(MOST, 1000, 0)
    one.note(0, 10, 1)
    assert one.room == MOST
    one.note(MOST, 10, 2)
    one.note(0, 11, 2 + STILL_S)
    one.note(0, 11, 3 + STILL_S)
    assert one.room == 1
    one.note(0, 11, 3 + 2 * STILL_S)
    assert one.room == MOST
