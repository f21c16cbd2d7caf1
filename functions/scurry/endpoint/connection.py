"""A connection that takes coalesced calls; aiohttp takes the rest.

The job keeps a few connections to each process and sends one exchange at a time on each, always with the same short
head. Reading that here costs a fifth of a trip through a general server; anything that looks otherwise (another path,
a chunked body, an Expect header) is handed to aiohttp, connection and all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, Protocol, cast

from scurry.endpoint import frames
from scurry.wire.names import CALLS_PATH

_START: Final = f"POST {CALLS_PATH} HTTP/1.1\r\n".encode()
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_UNUSUAL: Final = re.compile(rb"\r\n(transfer-encoding|content-encoding|expect|connection|upgrade):", re.IGNORECASE)
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: " + frames.CONTENT_TYPE.encode() + b"\r\n"
_WHOLE: Final = _OK + b"Content-Length: %d\r\n\r\n"
_CHUNKED: Final = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_BAD: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
_TOO_LARGE: Final = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
MAX_HEAD: Final = 16 * 1024
AHEAD: Final = 1 << 20
"""Bytes that may wait behind an exchange that is being answered; a client that sends more is not read meanwhile."""


class Host(Protocol):
    """Whom a connection serves."""

    connections: set[Connection]

    async def exchange(self, body: bytes | memoryview, send: Callable[[bytes, bool], None]) -> None:
        """Answer the calls in a body, sending frames as they come. Raises `BadFrames` before anything was sent."""
        ...


class Connection(asyncio.Protocol):
    """Takes one exchange after the other. `other` makes the protocol that takes over what is not ours.

    Where callers are `asked` for a certificate, who shows none is not ours either.
    """

    def __init__(self, host: Host, other: Callable[[], asyncio.BaseProtocol], *, asked: bool = False) -> None:
        self._host = host
        self._other = other
        self._asked = asked
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._missing = 0  # bytes without which it makes no sense to look again
        self._task: asyncio.Task[None] | None = None
        self._streaming = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)
        self._host.connections.add(self)
        if self._asked and not transport.get_extra_info("peercert"):
            self._hand_over()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client has gone; what it asked for is finished for nobody."""
        self._transport = None
        self._host.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Collect until there is a whole request."""
        self._received += data
        self._missing -= len(data)
        if self._task is None and self._missing <= 0:
            self._read()
        if self._task is not None and len(self._received) > AHEAD and self._transport is not None:
            self._transport.pause_reading()

    def _read(self) -> None:
        """Begin the next exchange, hand over, or wait for more."""
        received = self._received
        end = received.find(b"\r\n\r\n")
        if end < 0 and len(received) <= MAX_HEAD and _START.startswith(received[: len(_START)]):
            return
        head = bytes(received[: end + 2]) if end >= 0 else b""
        length = _LENGTH.search(head)
        if length is None or not head.startswith(_START) or _UNUSUAL.search(head):
            self._hand_over()
            return
        begin = end + 4
        stop = begin + int(length[1])
        if stop - begin > frames.MAX_BODY:
            self._write(_TOO_LARGE)
            self.close()
            return
        self._missing = stop - len(received)
        if self._missing > 0:
            return
        body = bytes(memoryview(received)[begin:stop])
        del received[:stop]
        self._missing = 0
        self._task = self._loop.create_task(self._exchange(body))

    async def _exchange(self, body: bytes) -> None:
        try:
            await self._host.exchange(body, self._send)
        except frames.BadFrames as failure:
            self._write(_BAD % len(str(failure)) + str(failure).encode())
            self._next()
        except BaseException:
            self.close()  # what is unanswered has failed, and a connection that ends says so
            raise

    def _send(self, data: bytes, last: bool) -> None:
        """Answer whole if all is there at once, else in chunks."""
        if last and not self._streaming:
            self._write(_WHOLE % len(data) + data)
        else:
            head = b"" if self._streaming else _CHUNKED
            chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            self._write(head + chunk + (b"0\r\n\r\n" if last else b""))
        self._streaming = not last
        if last:
            self._next()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _next(self) -> None:
        """This exchange is answered; go on with what has come meanwhile."""
        self._task = None
        if self._transport is not None:
            self._transport.resume_reading()
        if self._received:
            self._read()

    def _hand_over(self) -> None:
        """Let aiohttp have the connection from here on."""
        if self._transport is None:
            return
        other = self._other()
        self._host.connections.discard(self)
        self._transport.set_protocol(other)
        other.connection_made(self._transport)
        if self._received:
            cast("asyncio.Protocol", other).data_received(bytes(self._received))
        self._transport = None

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def __repr__(self) -> str:
        state = "closed" if self._transport is None else "busy" if self._task else "idle"
        return f"<Connection {state}, {len(self._received)} bytes unread>"
