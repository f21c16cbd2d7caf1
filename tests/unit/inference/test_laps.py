"""A stopwatch that tells reading, computing and writing apart."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from scurry.inference import laps as module
from scurry.inference.laps import Laps, here


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that stands still unless it is set."""
    now = [0.0]
    monkeypatch.setattr(module, "perf_counter", lambda: now[0])
    yield now
    here().begin()


def test_each_moment_belongs_to_one_stage():
    """What the stages have together is exactly the time from the beginning to the last mark."""
    laps = Laps()
    start = laps.at
    for mark in (laps.asked, laps.answered, laps.written, laps.asked, laps.answered):
        mark()
    assert laps.total == pytest.approx(laps.at - start, abs=1e-9)
    assert min(laps.input, laps.compute, laps.output) > 0
    laps.begin()
    assert laps.total == 0


def test_a_stage_has_what_passed_before_its_end(clock):
    """And none of what came after."""
    laps = Laps()
    for clock[0], mark in ((2, laps.asked), (5, laps.answered), (6, laps.written), (16, laps.asked)):
        mark()
    assert (laps.input, laps.compute, laps.output) == (12, 3, 1)


async def test_who_is_asked_elsewhere_computes_also_when_it_fails(clock):
    """The time until it gave up is the model's, not that of what is written then."""
    async def fails() -> None:
        clock[0] = 7.0
        raise TimeoutError

    laps = Laps()
    with pytest.raises(TimeoutError):
        await laps.around(fails())
    assert (laps.input, laps.compute, laps.output) == (0, 7, 0)


def test_laps_add_up():
    """Stage by stage."""
    one, two = Laps(), Laps()
    one.input, one.compute, one.output = 1.0, 2.0, 4.0
    two.add(one)
    two.add(one)
    assert (two.input, two.compute, two.output, two.total) == (2, 4, 8, 14)


def test_every_thread_has_its_own():
    """A model that computes in a thread disturbs none that computes in the loop."""
    found: list[Laps] = []
    thread = threading.Thread(target=lambda: found.append(here()))
    thread.start()
    thread.join()
    assert here() is here() is not found[0]
