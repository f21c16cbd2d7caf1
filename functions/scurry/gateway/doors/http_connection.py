"""One caller's connection: whole requests in, responses out in order.

Callers send much the same request over and over, and aiohttp's request, stream and response would cost more than all
the rest of it. What is unusual (a chunked or compressed body, HTTP/1.0, `Expect`, an upgrade, a body above its limit,
no HTTP at all) is handed to aiohttp, connection and all.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from scurry.gateway.doors import patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.entrance import HttpDoor
from scurry.gateway.doors.event_stream import NO_EVENTS
from scurry.gateway.doors.heads import Head, Heads
from scurry.gateway.doors.inbox import Inbox, Unusual, WholeRequest
from scurry.gateway.doors.replies import HttpReply, refusal, written
from scurry.gateway.doors.writing_side import WritingSide
from scurry.gateway.limits import Admission
from scurry.wire.errors import InvalidRequest

AHEAD: Final = 1 << 20
"""Bytes that may wait behind a request that is being answered; a caller who sends more is not read meanwhile."""


class Host(Protocol):
    """Whom a connection serves, within which limits."""

    door: HttpDoor
    admission: Admission
    heads: Heads
    connections: set[HttpConnection]
    census: Census
    is_stopping: bool
    max_body_bytes: int
    body_timeout_s: float

    def note(self, head: Head, reply: HttpReply, seconds: float) -> None:
        """A request was answered."""
        ...

    def unusual(self, door: HttpDoor) -> asyncio.Protocol:
        """aiohttp, for a connection that it takes over, which goes on with this door."""
        ...


class _Held(WritingSide):
    """A connection and what has come on it: counted while it is there, closed with or without a word."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host, self.door = host, host.door  # as it was when we came: a gateway that stops has another for new ones
        self._inbox = Inbox(host.heads, host.admission, host.max_body_bytes)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller has come."""
        if self._host.census.enter(cast("asyncio.Transport", transport)):
            self._transport = cast("asyncio.Transport", transport)
            self._host.connections.add(cast("HttpConnection", self))

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002 - asyncio's name
        """The caller has gone; what it asked for is finished for nobody."""
        if self._transport is not None:
            self._host.census.leave(self._transport)
        self._forget()
        self._inbox.close()
        self._events.close()

    def _refuse(self, cause: InvalidRequest) -> None:
        """What comes cannot be served, nor what may come behind it."""
        if self._transport is not None:
            self._transport.write(written(refusal(cause), keep_alive=False))
        self.close()

    def _forget(self) -> None:
        self._transport = None
        self._host.connections.discard(cast("HttpConnection", self))


class HttpConnection(_Held):
    """Takes one request after the other."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._asked: WholeRequest | None = None  # what is being answered
        self._reading = self._paused = False
        self._leaving = host.is_stopping
        self._begun = self._loop.time()  # when the request was whole

    def data_received(self, data: bytes) -> None:
        """Collect until there is a whole request."""
        self._since = self._since if self._inbox.awaits else self._loop.time()
        self._inbox.put(data)
        self._read()

    def eof_received(self) -> bool:
        """The caller sends nothing more: what it has begun to ask can never be whole. Then the connection is closed."""
        if self._asked is None and (awaits := self._inbox.awaits):
            missing = self._inbox.missing if awaits == "body" else "its head has no end"
            self._refuse(InvalidRequest("bad_request", f"The request ends before it is whole: {missing}."))
        return False

    def give_up_late(self, now: float) -> None:
        """Part with a caller that lets itself be waited for."""
        if self._transport is None or (self._asked is not None and not self._full):
            return
        awaits = "reading" if self._full else self._inbox.awaits
        if now - self._since <= (limit := patience.limit_of(awaits, self._host.body_timeout_s)):
            return
        if self._full:
            self._transport.abort()
        elif awaits:
            self._refuse(patience.late(awaits, limit))
        self.close()

    def leave(self) -> None:
        """The next answer is the last, and says so: a caller who is just sending loses nothing. What goes on ends."""
        self._leaving = True
        self._events.end()

    @property
    def is_idle(self) -> bool:
        """Whether nothing has been asked that is not answered."""
        return self._asked is None and not self._inbox.awaits

    def close_silent(self, since: float) -> None:
        """Hang up if nothing has been asked since then."""
        if self.is_idle and self._since <= since:
            self.close()

    def _read(self) -> None:
        """Begin what has come; an answer that is there at once comes back here, and finds us at it."""
        if self._reading:
            return
        self._reading = True
        try:
            while not self._is_busy and (asked := self._inbox.take()) is not None:
                self._asked, self._begun = asked, self._loop.time()
                self.door.begin(asked.head, asked.body, asked.room, self._reply)
        except Unusual:
            self._hand_over()
        except InvalidRequest as cause:
            self._refuse(cause)
        finally:
            self._reading = False
        self._pace()

    @property
    def _is_busy(self) -> bool:
        return self._asked is not None or self._full or self._transport is None

    def _pace(self) -> None:
        """Read no further ahead of a caller that is not answered yet."""
        pause = self._is_busy and len(self._inbox) > AHEAD
        if self._transport is not None and pause != self._paused:
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()

    def _reply(self, reply: HttpReply) -> None:
        asked, transport = self._asked, self._transport
        assert asked is not None, "one answer for each request"
        asked.room.give_back_all()
        self._host.note(asked.head, reply, self._loop.time() - self._begun)
        if transport is None:
            self._asked = None
            return
        keep = asked.head.keep_alive and not self._leaving
        self._write(transport, reply, keep_alive=keep, bodiless=asked.head.method == "HEAD")
        if self._leaving:
            self._events.end()

    def _go_on(self) -> None:
        """What was asked is answered: take the next, or hang up."""
        asked, self._asked, self._events = self._asked, None, NO_EVENTS
        self._since = self._loop.time()
        if asked is not None and asked.head.keep_alive and not self._leaving:
            self._read()
        else:
            self.close()

    def _hand_over(self) -> None:
        """Let aiohttp have the connection from here on."""
        transport, other = self._transport, self._host.unusual(self.door)
        if transport is None:
            return
        self._forget()
        transport.set_protocol(other)
        other.connection_made(transport)
        other.data_received(self._inbox.take_all())

    def __repr__(self) -> str:
        state = "closed" if self._transport is None else "busy" if self._asked else "idle"
        return f"<HttpConnection {state}, {len(self._inbox)} bytes unread>"
