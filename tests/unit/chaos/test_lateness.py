"""Deadlines told too late are found, and only those."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from tests.chaos.checker import Checker
from tests.chaos.claims import Seen
from tests.chaos.lateness import ALLOWED_S, CAUGHT_UP, Lateness
from tests.unit.chaos.test_checker import ask, checker, question, wrongs

__all__ = ["checker"]

LONG = 10


def answering(lateness: Lateness, since: float, until: float, waiting: int = 0) -> None:
    """Somebody is answered all the time."""
    at = since
    while at < until:
        lateness.heard(at, waiting)
        at += 0.1


@pytest.mark.parametrize(("seconds", "late"), [(0.0, 0.0), (0.9, 0.0), (1.5, 0.5), (30.0, 29.0)])
def test_more_than_a_second_is_late(seconds: float, late: float) -> None:
    """While others were answered."""
    lateness, now = Lateness(), time.monotonic()
    answering(lateness, now - LONG, now + seconds)
    asked = replace(question(1), sent=now - 3, deadline=time.time())
    assert lateness.late(asked, now + seconds) == pytest.approx(late, abs=0.05)
    assert lateness.latest == pytest.approx(seconds, abs=0.05)


def test_what_gathered_while_nobody_was_answered_is_not_judged() -> None:
    """Nor what stood behind it."""
    lateness, now = Lateness(), time.monotonic()
    answering(lateness, now - LONG, now - 5)
    answering(lateness, now - 2, now - 1, waiting=CAUGHT_UP)
    assert lateness.late(replace(question(1), sent=now - 6, deadline=time.time() - 4), now) == 0
    assert lateness.late(replace(question(2), sent=now - 1.5, deadline=time.time() - 4), now) == 0
    assert lateness.judged == 0
    answering(lateness, now - 1, now)
    assert lateness.late(replace(question(3), sent=now - 0.5, deadline=time.time() - 4), now) > 2


def test_the_checker_counts_it(checker: Checker) -> None:
    """A request whose deadline passed long ago."""
    now = time.monotonic()
    answering(checker.lateness, now - LONG, now)
    ask(checker, 1, sent=now - 5, deadline=time.time() - 2 - ALLOWED_S)
    checker.replied(Seen(1, now, error="deadline_exceeded"))
    assert wrongs(checker) == {"late": 1}
