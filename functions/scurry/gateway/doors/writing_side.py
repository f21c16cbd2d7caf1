"""What is written to one caller: whole responses, and events."""

from __future__ import annotations

import asyncio

from scurry.gateway.doors.event_stream import NO_EVENTS, EventReply, OpenEvents
from scurry.gateway.doors.replies import WHOLE, HttpReply, head_of


class WritingSide(asyncio.Protocol):
    """Writes, and knows whether the caller reads. Whoever reads from him goes on in `_read` and `_go_on`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._full = False  # the caller does not read what it is sent
        self._events = NO_EVENTS  # the answer goes on
        self._since = self._loop.time()  # when the caller last began to be waited for

    def pause_writing(self) -> None:
        """The caller does not read as fast as it is answered."""
        self._full, self._since = True, self._loop.time()
        self._events.pause()

    def resume_writing(self) -> None:
        """The caller has read: go on."""
        self._full = False
        self._events.resume()
        self._read()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _write(self, transport: asyncio.Transport, reply: HttpReply, *, keep_alive: bool, bodiless: bool) -> None:
        if isinstance(reply, EventReply):
            self._open_events(transport, reply, keep_alive=keep_alive, bodiless=bodiless)
            return
        parts = [head_of(reply, keep_alive=keep_alive), *(() if bodiless else reply.parts)]
        if sum(map(len, parts)) <= WHOLE:
            transport.write(b"".join(parts))
        else:
            transport.writelines(parts)
        self._go_on()

    def _open_events(
        self, transport: asyncio.Transport, reply: EventReply, *, keep_alive: bool, bodiless: bool
    ) -> None:
        """Their head, and them as they come; the request stays the one that is being answered."""
        self._events = OpenEvents(reply.events, transport.write, self._go_on)
        transport.write(head_of(reply, keep_alive=keep_alive))
        self._events.open(at_all=not bodiless)

    def _read(self) -> None:
        """Begin what has come."""
        raise NotImplementedError

    def _go_on(self) -> None:
        """What was asked is answered."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<WritingSide {'closed' if self._transport is None else 'full' if self._full else 'open'}>"
