"""Slopes of memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.chaos.memory import line, live_objects, resident, slope, warm


def test_a_straight_line_has_its_slope() -> None:
    """Whatever it starts from."""
    assert slope([(float(t), 100 + 0.5 * t) for t in range(10)]) == pytest.approx(0.5)
    assert slope([(float(t), 7.0) for t in range(10)]) == 0
    assert slope([]) == slope([(1.0, 2.0)]) == 0


def test_warm_up_does_not_count() -> None:
    """A jump at the beginning is no leak."""
    samples = [(float(t), min(t, 3) * 100.0) for t in range(31)]
    assert slope(samples) > 0
    assert slope(warm(samples)) == 0


def test_in_a_long_run_only_what_is_behind_the_life_of_markers_counts() -> None:
    """They pile up for a quarter of an hour, and then as many go as come."""
    samples = [(float(t), min(t, 930) * 10.0) for t in range(0, 1200, 5)]
    assert slope(warm(samples)) == 0
    assert len(warm(samples)) == 48


def test_a_leak_shows_in_its_line() -> None:
    """One MiB a minute is 1,440 a day."""
    assert line("job, MiB", [(float(t), 50 + t / 60) for t in range(600)]).split()[-2:] == ["+1.000", "+1440"]


def test_our_own_memory_is_measured() -> None:
    """And that of a process that is not there is none."""
    assert resident(os.getpid()) > 5
    assert resident(2**22 + 1) == 0


def test_live_objects_are_the_histograms_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a process that is away nothing is told. A stand-in for jcmd: the real one signals whatever has the pid."""
    jcmd = tmp_path / "jcmd"
    jcmd.write_text("#!/bin/sh\necho ' num  #instances  #bytes  class name'\necho 'Total        531       3145728'\n")
    jcmd.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert (live_objects(0), live_objects(4711)) == (0, 3)
