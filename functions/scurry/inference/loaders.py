"""Threads that models are opened in, one at a time in each.

A load that turns out to be long lets all others go first from then on, and makes room for another: what is opened in a
moment never waits behind what takes half a minute.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from scurry.inference.threads import be_nice
from scurry.wire.errors import Failed

Done = TypeVar("Done")

FRESH_SECONDS: Final = 0.02
"""A load has the interpreter to itself for so long, then the next one begins: two small ones at a time take longer than
one after the other (4.6 ms alone, 7.7 beside another, measured on two cores)."""
LOAD_SECONDS: Final = 300.0
"""How long a load may take, unless told otherwise."""
MOST: Final = 32
"""Loads at a time, the long ones among them."""
LONG_SECONDS: Final = 0.25
"""Whoever takes longer is long."""


class Loaders:
    """Begins loads in the order in which they are asked for."""

    def __init__(self, limit: float = LOAD_SECONDS, *, most: int = MOST) -> None:
        self._limit, self.given_up = limit, 0  # loads that did not come back
        self._all = asyncio.Semaphore(most)
        self._fresh = asyncio.Lock()
        self._idle: list[ThreadPoolExecutor] = []

    async def run(self, load: Callable[[], Done]) -> Done:
        """What the load returns or raises. Raises `load_failed` when it does not come back: it cannot be ended."""
        thread = 0

        def begin() -> Done:
            nonlocal thread
            thread = threading.get_native_id()
            return load()

        async with self._all:
            async with self._fresh:
                pool = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "load")
                running = asyncio.get_running_loop().run_in_executor(pool, begin)
                await asyncio.wait((running,), timeout=FRESH_SECONDS)
                while not thread and not running.done():  # no core was free for it to begin
                    await asyncio.wait((running,), timeout=FRESH_SECONDS)
            if not running.done():
                await asyncio.wait((running,), timeout=LONG_SECONDS)
            if running.done():
                self._idle.append(pool)
            else:  # a thread that was made to let others go first stays so
                be_nice(thread)
                pool.shutdown(wait=False)
            try:
                return await asyncio.wait_for(running, self._limit)
            except TimeoutError:
                self.given_up += 1
                sentence = f"It was not open after {self._limit:g} s and is given up (max_load_s)."
                raise Failed("load_failed", sentence) from None

    def __repr__(self) -> str:
        return f"<Loaders{', busy' if self._all.locked() else ''}>"
