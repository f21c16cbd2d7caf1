"""One caller's HTTP/2 connection, for gRPC and nothing else.

grpc.aio costs 180 µs of CPU a call, nearly three times as much as all of the rest of a request's way (decision 0046).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final, Protocol, cast

from scurry.gateway.doors import patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.grpc_call import STREAM_WINDOW
from scurry.gateway.doors.http2_calls import HEAD_BYTES, STREAMS, Answering, Http2Calls
from scurry.gateway.doors.http2_sending import Sending
from scurry.protocols import http2
from scurry.protocols.http2 import Frames, Http2Error
from scurry.wire.errors import ScurryError

FRAME: Final = 64 * 1024
"""Bytes of the largest frame that is taken."""
CALM: Final = 10_000
"""Frames that ask for nothing (settings, pings, calls taken back), between two answers."""


GREETING: Final = http2.settings((
    (http2.MAX_CONCURRENT_STREAMS, STREAMS), (http2.INITIAL_WINDOW_SIZE, STREAM_WINDOW),
    (http2.MAX_FRAME_SIZE, FRAME), (http2.MAX_HEADER_LIST_SIZE, HEAD_BYTES),
)) + http2.number(http2.WINDOW_UPDATE, 0, http2.LARGEST_WINDOW - http2.WINDOW)  # fmt: skip
"""What we say first: our limits, and that all streams together may send as much as can be said."""


class Host(Answering, Protocol):
    """Whom a connection serves."""

    census: Census
    connections: set[Http2Connection]
    body_timeout_s: float


class Http2Connection(asyncio.Protocol):
    """Takes calls, any number at a time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames(FRAME)
        self._greeting, self._greeted = b"", False
        self._idle, self._since = 0, self._loop.time()
        self.calls: Http2Calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller has come."""
        if not self._host.census.enter(cast("asyncio.Transport", transport), _goodbye):
            return
        self._transport = cast("asyncio.Transport", transport)
        with contextlib.suppress(OSError, AttributeError):  # a channel may be silent for hours; one that is gone ends
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._sending = Sending(self._transport, self._ended)
        self.calls = Http2Calls(self._host, self._sending)
        self._host.connections.add(self)
        self._sending.write(GREETING)

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002 - asyncio's name
        """The caller has gone; what it asked for is finished for nobody."""
        if self._transport is not None:
            self._host.census.leave(self._transport)
        self._transport = None
        self._host.connections.discard(self)
        for call in self.calls.each():
            call.leave()

    def data_received(self, data: bytes) -> None:
        """Take whole frames."""
        try:
            if not self._greeted:
                data = self._greet(data)
            for kind, flags, stream, payload in self._frames.feed(data):
                if self.calls.goes_on(kind, flags, stream, payload):
                    continue
                if kind == http2.DATA:
                    self.calls.data(flags, stream, payload)
                elif kind == http2.HEADERS:
                    self.calls.headers(flags, stream, payload)
                elif kind == http2.WINDOW_UPDATE:
                    self.calls.window(stream, payload)
                else:
                    self._control(kind, flags, stream, payload)
        except Http2Error as cause:
            if self._transport is not None:
                self._sending.write(http2.goaway(self.calls.last, cause.code, str(cause)))
                self.close()

    def give_up_late(self, now: float) -> None:
        """Part with a caller that does not say what it wants, and with messages that do not come."""
        if not self._greeted and now - self._since > patience.HEAD_S:
            self.close()
            return
        limit = self._host.body_timeout_s
        for call in self.calls.each():
            if call.awaits and now - call.since > limit and (call.incoming.heard or call.stream is None):
                call.refuse(patience.late("message", limit))

    def leave(self) -> None:
        """Take no new call, close behind those that are being answered."""
        if self._transport is None or self.calls.is_leaving:
            return
        self.calls.is_leaving = True
        self._sending.write(http2.goaway(self.calls.last, http2.NO_ERROR))
        for call in self.calls.each():
            if call.stream is not None:
                call.stream.stop()
        if not len(self.calls):
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _ended(self, stream: int) -> None:
        self._idle = 0
        self.calls.ended(stream)
        if self.calls.is_leaving and not len(self.calls):
            self._loop.call_soon(self.close)

    def _greet(self, data: bytes) -> bytes:
        """What follows the words that every HTTP/2 connection begins with. Raises `Http2Error`."""
        self._greeting += data
        if not self._greeting.startswith(http2.PREFACE[: len(self._greeting)]):
            raise Http2Error(http2.PROTOCOL_ERROR, "This port speaks gRPC. HTTP/1.1 has a port of its own.")
        self._greeted = len(self._greeting) >= len(http2.PREFACE)
        return self._greeting[len(http2.PREFACE) :] if self._greeted else b""

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Frames that belong to no message; unknown ones are passed over. Raises `Http2Error`."""
        self._idle += 1
        if self._idle > CALM:
            raise Http2Error(http2.ENHANCE_YOUR_CALM, "There are too many frames that ask for nothing.")
        if kind == http2.SETTINGS and not flags & http2.ACK:
            for name, value in http2.settings_in(payload):
                if name == http2.INITIAL_WINDOW_SIZE:
                    if value > http2.LARGEST_WINDOW:
                        raise Http2Error(http2.FLOW_CONTROL_ERROR, "A window is opened beyond what it can be.")
                    by, self._sending.initial = value - self._sending.initial, value
                    self.calls.windows(by)
            self._sending.write(http2.frame(http2.SETTINGS, http2.ACK, 0))
        elif kind == http2.PING and not flags & http2.ACK:
            if len(payload) != 8:
                raise Http2Error(http2.FRAME_SIZE_ERROR, "A PING has 8 bytes.")
            self._sending.write(http2.frame(http2.PING, http2.ACK, 0, payload))
        elif kind == http2.RST_STREAM:
            self.calls.reset(stream)
        elif kind == http2.PUSH_PROMISE:
            raise Http2Error(http2.PROTOCOL_ERROR, "A caller promises nothing.")

    def __repr__(self) -> str:
        state = "closed" if self._transport is None else repr(self.calls)
        return f"<Http2Connection {state}>"


def _goodbye(cause: ScurryError) -> bytes:
    """What a connection above a limit hears: not the frame that one begins with, so that its calls fail at once."""
    return http2.goaway(0, http2.ENHANCE_YOUR_CALM, cause.message)
