"""Who waits for which request id, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

Fields = dict[bytes, bytes]
"""The fields of a reply as they stand in the reply stream."""

GRAIN_S: Final = 0.02
"""Futures that are due within this time fail together."""


class Waiting:
    """Futures under request ids. A future whose time is over fails with what `overdue` says."""

    def __init__(self, loop: asyncio.AbstractEventLoop, overdue: Callable[[str], Exception]) -> None:
        self._loop = loop
        self._overdue = overdue
        self._futures: dict[str, tuple[asyncio.Future[Fields], float]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = float("inf")

    def add(self, request_id: str, timeout: float) -> asyncio.Future[Fields]:
        """A future that the reply to this id will resolve."""
        future: asyncio.Future[Fields] = self._loop.create_future()
        due = self._loop.time() + timeout
        self._futures[request_id] = (future, due)
        if due < self._alarm_at:
            self._set_alarm(due)
        return future

    def join(self, request_id: str) -> asyncio.Future[Fields] | None:
        """A second future for an id that is already waited for; None when it is not."""
        waiting = self._futures.get(request_id)
        if waiting is None or waiting[0].done():
            return None
        second: asyncio.Future[Fields] = self._loop.create_future()
        waiting[0].add_done_callback(lambda first: _copy(first, second))
        return second

    def resolve(self, fields: Fields) -> None:
        """Hand a reply to whoever waits for it; nobody may."""
        waiting = self._futures.pop(fields.get(b"id", b"").decode(), None)
        if waiting is not None and not waiting[0].done():
            waiting[0].set_result(fields)

    def fail(self, make: Callable[[str], Exception]) -> None:
        """Fail everybody."""
        futures, self._futures = self._futures, {}
        for request_id, (future, _) in futures.items():
            if not future.done():
                future.set_exception(make(request_id))
        if self._alarm is not None:
            self._alarm.cancel()

    def __len__(self) -> int:
        return len(self._futures)

    def _set_alarm(self, due: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._loop.call_at(due, self._fail_overdue)

    def _fail_overdue(self) -> None:
        horizon = self._loop.time() + GRAIN_S
        for request_id in [id_ for id_, (_, due) in self._futures.items() if due <= horizon]:
            future, _ = self._futures.pop(request_id)
            if not future.done():
                future.set_exception(self._overdue(request_id))
        self._alarm, self._alarm_at = None, float("inf")
        earliest = _earliest(self._futures.values())
        if earliest is not None:
            self._set_alarm(earliest)


def _earliest(waiting: Iterable[tuple[asyncio.Future[Fields], float]]) -> float | None:
    return min((due for _, due in waiting), default=None)


def _copy(first: asyncio.Future[Fields], second: asyncio.Future[Fields]) -> None:
    if second.done():
        return
    if first.cancelled():
        second.cancel()
    elif (exception := first.exception()) is not None:
        second.set_exception(exception)
    else:
        second.set_result(first.result())
