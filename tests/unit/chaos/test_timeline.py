"""What a name may have stood for."""

from __future__ import annotations

from tests.chaos.timeline import Timeline

NEVER: frozenset[str] = frozenset()


def test_a_name_nobody_spoke_of_means_nothing() -> None:
    """It may be missing, always."""
    timeline = Timeline()
    assert timeline.may_mean("x", 0, 9) == NEVER
    assert timeline.may_be_missing("x", 0, 9)


def test_before_it_was_stated_a_name_means_nothing() -> None:
    """From then on it does."""
    timeline = Timeline()
    timeline.state("x", frozenset({"1"}), 5)
    assert timeline.may_be_missing("x", 4, 6)
    assert not timeline.may_be_missing("x", 5.1, 6)
    assert timeline.may_mean("x", 6, 7) == {"1"}


def test_while_a_change_is_under_way_both_are_possible() -> None:
    """And after it the new one only."""
    timeline = Timeline()
    timeline.state("x", frozenset({"1"}), 0)
    change = timeline.begin("x", frozenset({"2"}), 5)
    assert timeline.may_mean("x", 4, 4.5) == {"1"}
    assert timeline.may_mean("x", 8, 9) == {"1", "2"}
    change.settle(10, applied=True)
    assert timeline.may_mean("x", 8, 9) == {"1", "2"}
    assert timeline.may_mean("x", 10.5, 11) == {"2"}
    assert timeline.may_mean("x", 1, 11) == {"1", "2"}


def test_a_change_that_was_refused_leaves_the_old() -> None:
    """It may have been the new one for a while."""
    timeline = Timeline()
    timeline.state("x", frozenset({"1"}), 0)
    timeline.begin("x", frozenset(), 5).settle(6, applied=False)
    assert timeline.may_be_missing("x", 5.5, 5.6)
    assert not timeline.may_be_missing("x", 6.5, 7)
    assert timeline.may_mean("x", 7, 8) == {"1"}


def test_a_change_that_was_never_answered_leaves_both() -> None:
    """For ever, until another one says what is."""
    timeline = Timeline()
    timeline.state("x", frozenset({"1"}), 0)
    timeline.begin("x", frozenset({"2"}), 5)
    assert timeline.may_mean("x", 99, 100) == {"1", "2"}
    timeline.state("x", frozenset({"3"}), 200)
    assert timeline.may_mean("x", 201, 202) == {"3"}


def test_what_is_made_a_second_time_may_be_met_in_its_former_state_again() -> None:
    """Only what ended after the time it goes back to, and only for a while."""
    timeline = Timeline()
    for at in (1, 5, 9):
        timeline.state("x", frozenset({str(at)}), at)
    timeline.reopen(6, 20)
    assert timeline.may_mean("x", 15, 16) == {"5", "9"}
    assert timeline.may_mean("x", 21, 22) == {"9"}
