"""An event loop on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from scurry.client.loop_thread import LoopThread


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    """One that is stopped in the end."""
    made = LoopThread("loop")
    yield made
    if made.is_alive():
        made.stop()


async def where() -> str:
    """The thread's name."""
    return threading.current_thread().name


def test_work_runs_there(thread: LoopThread) -> None:
    """Its result, or its error, comes back."""

    async def fail() -> None:
        raise OSError("no")

    assert thread.wait_for(where()) == "loop"
    assert thread.begin(where()).result(5) == "loop"
    with pytest.raises(OSError, match="no"):
        thread.wait_for(fail())


def test_it_does_not_wait_for_itself(thread: LoopThread) -> None:
    """That would be for ever."""

    async def inside() -> str:
        return thread.wait_for(where())

    with pytest.raises(RuntimeError, match="own thread"):
        thread.wait_for(inside())


def test_what_is_cancelled_runs_no_more(thread: LoopThread) -> None:
    """By the future that was given for it."""
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    future = thread.begin(wait())
    thread.wait_for(asyncio.sleep(0))
    future.cancel()
    assert cancelled.wait(5)


def test_after_the_end_it_says_so(thread: LoopThread) -> None:
    """Not that a loop is closed."""
    thread.stop()
    assert not thread.is_alive()
    assert repr(thread) == "<LoopThread loop, ended>"
    with pytest.raises(RuntimeError, match="client is closed"):
        thread.wait_for(where())
