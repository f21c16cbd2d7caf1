"""Events of what yields them, as fast as the caller reads.

Between them a comment now and then: for proxies, and to see that the caller is still there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from scurry.gateway.doors import event_stream
from scurry.gateway.doors.event_stream import HEARTBEAT, Outlet

log = logging.getLogger(__name__)


class LiveEvents:
    """Sends what a source yields; while the caller does not read, the source is not asked."""

    __slots__ = ("_beat", "_loop", "_outlet", "_reads", "_source", "_task")

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._outlet: Outlet | None = None
        self._task: asyncio.Task[None] | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._reads = asyncio.Event()

    def open(self, outlet: Outlet) -> None:
        """Begin to send."""
        self._outlet = outlet
        self._task = self._loop.create_task(self._send(outlet))
        self._beat = self._loop.call_later(event_stream.HEARTBEAT_S, self._live)

    def resume(self) -> None:
        """The caller reads again."""
        self._reads.set()

    def close(self) -> None:
        """Ask the source no more."""
        self._outlet = None
        if self._beat is not None:
            self._beat.cancel()
        if self._task is not None:
            self._task.cancel()

    async def _send(self, outlet: Outlet) -> None:
        try:
            async with aclosing(self._source) as source:  # type: ignore[type-var]  # generators can be closed
                async for data in source:
                    outlet.send(data)
                    while outlet.is_full:
                        self._reads.clear()
                        await self._reads.wait()
        except Exception:
            log.exception("a stream of events ends")
        self._task = None  # it ends by itself
        outlet.end()

    def _live(self) -> None:
        if self._outlet is not None:
            if not self._outlet.is_full:
                self._outlet.send(HEARTBEAT)
            self._beat = self._loop.call_later(event_stream.HEARTBEAT_S, self._live)

    def __repr__(self) -> str:
        return f"<LiveEvents {'closed' if self._outlet is None else 'open'}>"
