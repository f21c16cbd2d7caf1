"""Loads that failed a moment ago."""

from __future__ import annotations

import pytest

from scurry.inference.failures import SECONDS, Failures
from scurry.inference.stock import Place
from scurry.wire.errors import Failed


def test_a_failure_stands_for_a_moment_at_its_place():
    """As a new exception each time; old ones are not kept."""
    now = [0.0]
    failures, here, there = Failures(lambda: now[0]), Place("m", "1", "a"), Place("m", "1", "b")
    first = Failed("load_failed", "broken")
    failures.note(here, first)
    failures.raise_recent(there)
    with pytest.raises(Failed, match="broken") as caught:
        failures.raise_recent(here)
    assert caught.value is not first
    now[0] = SECONDS
    failures.raise_recent(here)
    failures.note(there, first)
    assert repr(failures) == "<Failures at 1 places>"
    failures.forget(there)
    failures.raise_recent(there)
