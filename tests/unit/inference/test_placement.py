"""Where a model computes."""

from __future__ import annotations

import pytest

from scurry.inference.placement import HANG_SECONDS, Where, expected, limit, place, smoothed


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
    mean = smoothed(0.0001, 0.5)
    assert mean == 0.5
    runs = 0
    while place(mean, solo=False, suspect=False, steady=True, holds_interpreter=False) is not Where.LOOP:
        mean, runs = smoothed(mean, 0.0001), runs + 1
    assert 20 < runs < 40
    assert smoothed(0.001, 0.002) == pytest.approx(0.0012)
    assert smoothed(0.5, 0.3) == pytest.approx(0.46)


def test_a_run_that_does_not_come_back_is_given_up():
    """Slow models have their time."""
    assert (limit(0.001), limit(10)) == (HANG_SECONDS, 1000)
