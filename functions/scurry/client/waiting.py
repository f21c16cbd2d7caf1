"""Who waits for which request id, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from scurry.wire.errors import InvalidRequest

Fields = dict[bytes, bytes]
"""The fields of a reply as they stand in the reply stream."""

ENTRY: Final = b"entry"
"""The id of the reply's own entry, among its fields for those who trace."""

GRAIN_S: Final = 0.02
"""Futures that are due within this time fail together."""


class Callers:
    """Everybody who waits for one id: nearly always one. Each has a future and a time of its own."""

    __slots__ = ("content", "due", "future", "others")

    def __init__(self, future: asyncio.Future[Fields], due: float, content: object) -> None:
        self.future = future
        self.due = due
        self.content = content
        self.others: list[Callers] = []

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return self.future.done() and all(other.future.done() for other in self.others)

    def set_result(self, fields: Fields) -> None:
        """Give everybody the reply."""
        for caller in (self, *self.others):
            if not caller.future.done():
                caller.future.set_result(fields)

    def set_exception(self, cause: Exception) -> None:
        """Let everybody fail."""
        for caller in (self, *self.others):
            if not caller.future.done():
                caller.future.set_exception(cause)

    def fail_due(self, horizon: float, make: Callable[[], Exception]) -> None:
        """Let those fail whose time is over."""
        for caller in (self, *self.others):
            if caller.due <= horizon and not caller.future.done():
                caller.future.set_exception(make())

    def next_due(self) -> float:
        """When the next of them is due; infinity when nobody waits."""
        waiting = (caller.due for caller in (self, *self.others) if not caller.future.done())
        return min(waiting, default=float("inf"))

    def __repr__(self) -> str:
        return f"<Callers {1 + len(self.others)}{', done' if self.done() else ''}>"


class Waiting:
    """Callers under request ids. Who waits longer than his time fails with what `overdue` says."""

    def __init__(self, loop: asyncio.AbstractEventLoop, overdue: Callable[[str], Exception]) -> None:
        self._loop = loop
        self._overdue = overdue
        self._callers: dict[str, Callers] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = float("inf")

    def add(self, request_id: str, timeout: float, content: object = None) -> Callers:
        """One who waits for the reply to this id, having sent this."""
        callers = self._callers[request_id] = self._make(timeout, content)
        return callers

    def join(self, request_id: str, timeout: float, content: object = None) -> asyncio.Future[Fields] | None:
        """A future beside those that wait for this id already; None when nobody does.

        Raises `id_conflict` for one who sends something else under it: the answer would not be to his question.
        """
        callers = self._callers.get(request_id)
        if callers is None or callers.done():
            return None
        if callers.content != content:
            raise InvalidRequest("id_conflict", f"The id {request_id!r} is waited for already, with another body.")
        other = self._make(timeout, content)
        callers.others.append(other)
        return other.future

    def resolve(self, fields: Fields) -> None:
        """Hand a reply to whoever waits for it; nobody may."""
        callers = self._callers.pop(fields.get(b"id", b"").decode(errors="replace"), None)
        if callers is not None:
            callers.set_result(fields)

    def fail(self, make: Callable[[str], Exception]) -> None:
        """Fail everybody."""
        everybody, self._callers = self._callers, {}
        for request_id, callers in everybody.items():
            callers.set_exception(make(request_id))
        if self._alarm is not None:
            self._alarm.cancel()

    def __len__(self) -> int:
        return len(self._callers)

    def _make(self, timeout: float, content: object) -> Callers:
        due = self._loop.time() + timeout
        if due < self._alarm_at:
            self._set_alarm(due)
        return Callers(self._loop.create_future(), due, content)

    def _set_alarm(self, due: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._loop.call_at(due, self._fail_overdue)

    def _fail_overdue(self) -> None:
        horizon = self._loop.time() + GRAIN_S
        earliest = float("inf")
        for request_id, callers in list(self._callers.items()):
            if callers.due <= horizon or callers.others or callers.future.done():
                callers.fail_due(horizon, lambda late=request_id: self._overdue(late))  # type: ignore[misc]
                if callers.done():
                    del self._callers[request_id]
                    continue
            earliest = min(earliest, callers.next_due())
        self._alarm, self._alarm_at = None, float("inf")
        if earliest < float("inf"):
            self._set_alarm(earliest)

    def __repr__(self) -> str:
        return f"<Waiting for {len(self._callers)} replies>"
