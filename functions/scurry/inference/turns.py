"""So many at a time; of those who wait, the highest priority first."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Turns:
    """Turns at what only so many may use at once. Level 0 is before all others; of one level, who came first."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @asynccontextmanager
    async def at(self, level: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(level)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, level: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (level, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given a turn that it will not have
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """The next one's turn, if anybody waits."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def __repr__(self) -> str:
        return f"<Turns {self._free} free, {len(self._waiting)} waiting>"
