"""Threads that models are opened in, one for each.

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

Done = TypeVar("Done")

AT_ONCE: Final = 4
"""Loads that may have begun just now: more would only take the cores from each other."""
MOST: Final = 32
"""Loads at a time, the long ones among them."""
LONG_SECONDS: Final = 0.25
"""Whoever takes longer is long."""


class Loaders:
    """Begins loads in the order in which they are asked for."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(MOST)
        self._fresh = asyncio.Semaphore(AT_ONCE)

    async def run(self, load: Callable[[], Done]) -> Done:
        """What the load returns or raises."""
        thread = 0

        def begin() -> Done:
            nonlocal thread
            thread = threading.get_native_id()
            return load()

        async with self._all:
            async with self._fresh:
                pool = ThreadPoolExecutor(1, "load")
                running = asyncio.get_running_loop().run_in_executor(pool, begin)
                pool.shutdown(wait=False)
                await asyncio.wait((running,), timeout=LONG_SECONDS)
                while not thread and not running.done():  # no core was free for it to begin
                    await asyncio.wait((running,), timeout=LONG_SECONDS)
                if not running.done():
                    be_nice(thread)
            return await running

    def __repr__(self) -> str:
        return f"<Loaders{', busy' if self._all.locked() else ''}>"
