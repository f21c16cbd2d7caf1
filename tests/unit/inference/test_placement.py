"""Where a model computes."""

from __future__ import annotations

import pytest

from scurry.inference.placement import HANG_SECONDS, Pace, Where, expected, limit, place


@pytest.mark.parametrize(
    ("seconds", "facts", "where"),
    [
        (0.0005, "steady", Where.LOOP),
        (0.0015, "steady", Where.THREAD),
        (0.0005, "", Where.THREAD),
        (0.0005, "steady solo", Where.CHILD),
        (0.0005, "steady suspect", Where.CHILD),
        (0.0005, "steady holds_interpreter", Where.THREAD),
        (0.1, "steady holds_interpreter", Where.CHILD),
        (5.0, "steady", Where.THREAD),
    ],
)
def test_quick_beyond_doubt_in_the_loop_suspects_in_a_child_else_a_thread(seconds, facts, where):
    """Unproven or input-dependent models never hold the loop, nor does a runtime that holds the interpreter."""
    names = ("solo", "suspect", "steady", "holds_interpreter")
    assert place(seconds, **{name: name in facts.split() for name in names}) is where


def test_rows_count_not_requests():
    """One request of many rows takes as long as many requests."""
    assert [expected(0.5, rows, 4) for rows in (0, 1, 4, 5, 100)] == [0.5, 0.5, 0.5, 1.0, 12.5]


def test_one_outlier_counts_at_once():
    """A quick model that turned slow leaves the loop with its first slow run, and returns when it has been quick."""
    pace = Pace(0.0001)
    pace.note(0.5, 0.5)
    assert pace.seconds == 0.5
    runs = 0
    while where(pace) is not Where.LOOP:
        pace.note(0.0001, 0.0001)
        runs += 1
    assert 20 < runs < 40


@pytest.mark.parametrize(("seconds", "cpu", "where_next"), [(0.05, 0.04, Where.THREAD), (5.0, 0.0, Where.THREAD)])
def test_an_outlier_is_the_models_own_doing(seconds, cpu, where_next):
    """It computed, or it took longer than any thread waits for a core."""
    pace = Pace(0.0001)
    for _ in range(10):
        pace.note(0.0001, 0.0001)
    pace.note(seconds, cpu)
    assert where(pace) is where_next


def test_who_waits_for_a_core_is_not_slow():
    """On busy cores now and then a run stands still: the model stays where it is, or comes back to it."""
    pace = Pace(0.0001)
    for at in range(1000):
        pace.note(0.03 if at % 3 else 0.0001, 0.0001)
        assert where(pace) is Where.LOOP


def test_a_model_that_turned_slow_is_found_by_its_next_runs():
    """However little its own thread computes: another one may compute for it."""
    pace = Pace(0.0001)
    for _ in range(10):
        pace.note(0.0001, 0.0001)
    for _ in range(4):
        pace.note(0.05, 0.0)
    assert where(pace) is Where.THREAD


def where(pace):
    """Where a steady model of this pace computes."""
    return place(pace.seconds, solo=False, suspect=False, steady=True, holds_interpreter=False)


def test_a_run_that_does_not_come_back_is_given_up():
    """Slow models have their time."""
    assert (limit(0.001), limit(10)) == (HANG_SECONDS, 1000)


def test_what_has_a_process_of_its_own_is_asked_from_a_thread():
    """Whatever else is known of it: it can hurt nobody."""
    facts = {"solo": True, "suspect": True, "steady": True, "holds_interpreter": True}
    assert place(0.0, **facts, isolated=True) is Where.THREAD
