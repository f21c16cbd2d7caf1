"""Models are opened in threads; long loads are in nobody's way."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import partial

import pytest

from scurry.inference import loaders
from scurry.inference.loaders import MOST, Loaders
from scurry.inference.threads import SLOW_NICE
from scurry.wire.errors import Failed


def nice() -> int:
    """The priority of the thread that asks."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


class Long:
    """A load that takes until it is let go; it tells what priority it has then."""

    def __init__(self, expected: int) -> None:
        self.go, self.full, self.expected = threading.Event(), threading.Event(), expected
        self.begun: list[int] = []

    def __call__(self) -> int:
        self.begun.append(threading.get_native_id())
        if len(self.begun) == self.expected:
            self.full.set()
        assert self.go.wait(20)
        return nice()


async def test_a_quick_load_waits_for_no_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long ones let the others go first from then on, the quick one does not, nor one after it."""
    monkeypatch.setattr(loaders, "FRESH_SECONDS", 0.01)
    monkeypatch.setattr(loaders, "LONG_SECONDS", 0.01)
    long, ours, pool = Long(8), nice(), Loaders()
    running = [asyncio.create_task(pool.run(long)) for _ in range(8)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(pool.run(nice), 10) == ours
    assert not any(task.done() for task in running)
    long.go.set()
    niceness = await asyncio.gather(*running)  # the last ones may have begun just now
    assert niceness[:4] == [ours + SLOW_NICE] * 4
    assert [await pool.run(nice) for _ in range(9)] == [ours] * 9


async def test_small_ones_are_opened_one_after_the_other_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of its own for each costs as much as what it opens."""
    monkeypatch.setattr(loaders, "FRESH_SECONDS", 10)
    pool, threads, inside, most = Loaders(), set[int](), 0, 0

    def load() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threads.add(threading.get_native_id())
        inside -= 1

    for _ in range(2):
        await asyncio.gather(*(pool.run(load) for _ in range(20)))
    assert (most, len(threads)) == (1, 1)


async def test_no_more_than_so_many_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others begin as these end, each once."""
    monkeypatch.setattr(loaders, "FRESH_SECONDS", 0.001)
    monkeypatch.setattr(loaders, "LONG_SECONDS", 0.001)
    long, pool = Long(MOST), Loaders()
    running = [asyncio.create_task(pool.run(long)) for _ in range(MOST + 3)]
    assert await asyncio.to_thread(long.full.wait, 20)
    await asyncio.sleep(0.05)
    assert (len(long.begun), repr(pool)) == (MOST, "<Loaders, busy>")
    long.go.set()
    await asyncio.gather(*running)
    assert len(long.begun) == MOST + 3


async def test_what_a_load_raises_is_raised() -> None:
    """And the next one runs."""
    pool = Loaders()
    for _ in range(MOST + 1):
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
    assert await pool.run(lambda: "opened") == "opened"


async def test_a_load_that_does_not_come_back_is_given_up():
    """Its thread cannot be ended; others load meanwhile and afterwards."""
    loaders, free = Loaders(0.05), threading.Event()
    with pytest.raises(Failed, match=r"not open after 0.05 s and is given up \(max_load_s\)") as caught:
        await loaders.run(partial(free.wait, 10))
    assert (caught.value.code, loaders.given_up) == ("load_failed", 1)
    assert await loaders.run(lambda: 3) == 3
    free.set()
async def test_so_many_at_a_time_and_no_more():
    """Those of one kind do not keep others waiting: a shelf has loaders of their own for what is fetched."""
    loaders, free, begun = Loaders(most=2), threading.Event(), threading.Semaphore(0)

    def load() -> None:
        begun.release()
        assert free.wait(10)

    loads = [asyncio.create_task(loaders.run(load)) for _ in range(3)]
    for _ in range(2):
        assert await asyncio.to_thread(begun.acquire, timeout=10)
    assert (begun.acquire(blocking=False), repr(loaders)) == (False, "<Loaders, busy>")
    free.set()
    await asyncio.gather(*loads)
    assert begun.acquire(blocking=False)
