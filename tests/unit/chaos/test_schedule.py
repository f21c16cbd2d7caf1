"""The fault schedule."""

from __future__ import annotations

from itertools import pairwise

from tests.chaos.catalogue import FAULTS, HARMLESS
from tests.chaos.schedule import schedule

NAMES = [f"fault-{number}" for number in range(10)]


def test_a_seed_gives_the_same_schedule_again() -> None:
    """And another seed another one."""
    assert schedule(1, 600, 10, NAMES) == schedule(1, 600, 10, NAMES)
    assert schedule(1, 600, 10, NAMES) != schedule(2, 600, 10, NAMES)


def test_each_fault_comes_once_alone_before_any_comes_twice() -> None:
    """In order of time, inside the time given."""
    due = schedule(7, 600, 10, NAMES)
    assert {item.name for item in due[: len(NAMES)]} == set(NAMES)
    assert [item.at for item in due] == sorted(item.at for item in due)
    assert due[-1].at < 605
    assert all(later.at - item.at == 10 for item, later in pairwise(due[:10]))


def test_some_come_together() -> None:
    """In the long run."""
    due = schedule(7, 1800, 10, NAMES)
    assert sum(later.at - item.at < 6 for item, later in pairwise(due)) > 20


def test_what_must_not_restart_the_job_is_in_the_catalogue() -> None:
    """Or the watch would look for nothing."""
    assert FAULTS.keys() > HARMLESS
