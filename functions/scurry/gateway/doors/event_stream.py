"""A response that goes on: server-sent events, as they come.

A door answers with an `EventReply`; whoever has the connection writes its head and gives it an `Outlet`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from scurry.gateway.doors.replies import HttpReply

EVENTS: Final = "text/event-stream"
HEARTBEAT: Final = b": still here\n\n"
HEARTBEAT_S: Final = 15.0
"""How often a stream says that it is there; a caller that has gone is noticed by it."""

_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"X-Accel-Buffering: no\r\n"
)
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"


class Outlet(Protocol):
    """Where events go. After `end` nothing may be sent."""

    @property
    def is_full(self) -> bool:
        """Whether the caller does not read what it is sent; it is told when it does again."""
        ...

    def send(self, data: bytes) -> None:
        """Send whole events."""
        ...

    def end(self) -> None:
        """That was all."""
        ...


class Events(Protocol):
    """Where events come from."""

    def open(self, outlet: Outlet) -> None:
        """Begin to send."""
        ...

    def resume(self) -> None:
        """The caller reads again."""
        ...

    def close(self) -> None:
        """The caller has gone, or we go: send nothing more. Called once, also after `end`."""
        ...


class EventReply(HttpReply):
    """A response whose body is events."""

    __slots__ = ("events",)

    def __init__(self, events: Events) -> None:
        super().__init__(200, _HEAD + _CHUNKED, [])
        self.events = events

    def old(self) -> HttpReply:
        """The same head for HTTP/1.0, which knows no chunks: the end of the connection is the end."""
        return HttpReply(200, _HEAD, [])


def event(kind: str, data: bytes, event_id: str = "") -> bytes:
    """One event; `data` has no line breaks."""
    named = f"id: {event_id}\n".encode() if event_id else b""
    return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), named, data)


def chunk(data: bytes) -> bytes:
    """A piece of a body whose length nobody knows yet."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class OpenEvents:
    """Events that go out over one connection, in chunks: their outlet. Without events it does nothing."""

    __slots__ = ("_end", "_events", "_write", "is_full")

    def __init__(
        self, events: Events | None, write: Callable[[bytes], object], end: Callable[[], object]
    ) -> None:
        self._events, self._write, self._end = events, write, end
        self.is_full = False

    def open(self, *, at_all: bool = True) -> None:
        """Begin; or end at once, for who wants the head only."""
        if not at_all:
            self.end()
        elif self._events is not None:
            self._events.open(self)

    def send(self, data: bytes) -> None:
        """Send whole events."""
        self._write(chunk(data))

    def end(self) -> None:
        """That was all."""
        if self._events is not None:
            self.close()
            self._write(LAST_CHUNK)
            self._end()

    def pause(self) -> None:
        """The caller does not read."""
        self.is_full = True

    def resume(self) -> None:
        """The caller reads again."""
        self.is_full = False
        if self._events is not None:
            self._events.resume()

    def close(self) -> None:
        """Nothing more is sent."""
        events, self._events = self._events, None
        if events is not None:
            events.close()


NO_EVENTS: Final = OpenEvents(None, lambda _: None, lambda: None)
"""Of a connection that answers with whole responses."""


def wants_events(headers: Mapping[str, str]) -> bool:
    """Whether a caller accepts events; a browser's `EventSource` asks for nothing else."""
    return any(part.partition(";")[0].strip().lower() == EVENTS for part in headers.get("Accept", "").split(","))
