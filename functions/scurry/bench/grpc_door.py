"""A gRPC door for a load generator: HTTP/2, as lean as can be.

grpc.aio as a client takes 140 µs of CPU for a call, on the same cores as what is measured.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, cast

from scurry.bench.load import Answer
from scurry.protocols import http2
from scurry.protocols.grpc_words import prefix
from scurry.protocols.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Frames, HeaderBlocks, Headers, literal

CONNECTIONS: Final = 8
"""Among which the callers share, as the threads of a client would share its channels."""
REFILL: Final = 1 << 29
INFER: Final = b"/inference.GRPCInferenceService/ModelInfer"

Answered = Callable[[bytes, str], None]


class GrpcDoor:
    """Calls of all callers on a few connections."""

    def __init__(self, host: str, port: int, messages: Sequence[bytes], callers: int) -> None:
        self._address, self._messages = (host, port), [prefix(len(one)) + one for one in messages]
        self._callers = callers
        self._connections: deque[_Connection] = deque()
        self.failure = ""

    async def open(self, listener: Callable[[list[Answer]], None]) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        host = "{}:{}".format(*self._address).encode()

        def lost(cause: str) -> None:
            self.failure = self.failure or cause

        for _ in range(min(self._callers, CONNECTIONS)):
            _, connection = await loop.create_connection(
                lambda: _Connection(host, lambda request_id, error: listener([(request_id, error)]), lost),
                *self._address,
            )
            self._connections.append(connection)

    def send(self, request_id: bytes, subject: int) -> None:
        """Call on the next connection."""
        self._connections.rotate()
        self._connections[0].ask(request_id, self._messages[subject])

    def flush(self) -> None:
        """Nothing is held back."""

    async def close(self) -> None:
        """Hang up all connections."""
        for connection in self._connections:
            connection.close()

    def __repr__(self) -> str:
        return f"<GrpcDoor {len(self._connections)} connections>"


class _Connection(asyncio.Protocol):
    """Calls, each on a stream of its own."""

    def __init__(self, host: bytes, answered: Answered, lost: Callable[[str], None]) -> None:
        self._answered, self._lost = answered, lost
        self._block = b"\x83\x86" + b"\x04" + bytes((len(INFER),)) + INFER + b"".join((  # POST, http, :path
            b"\x01", bytes((len(host),)), host, literal(b"te", b"trailers"),
            literal(b"content-type", b"application/grpc"),
        ))  # fmt: skip
        self._frames, self._blocks = Frames(http2.SMALLEST_FRAME), HeaderBlocks(http2.SMALLEST_FRAME, _status)
        self._waiting: dict[int, bytes] = {}
        self._unsent: dict[int, list[memoryview | int]] = {}  # of a stream: what is left, and its window
        self._next, self._taken, self._closing = 1, 0, False
        self._initial = self._window = http2.WINDOW

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            http2.PREFACE + http2.settings(((http2.INITIAL_WINDOW_SIZE, http2.LARGEST_WINDOW),))
            + http2.number(http2.WINDOW_UPDATE, 0, http2.LARGEST_WINDOW - http2.WINDOW)
        )  # fmt: skip

    def ask(self, request_id: bytes, message: bytes) -> None:
        """Call with a message behind its prefix."""
        stream, size = self._next, len(message)
        self._next += 2
        self._waiting[stream] = request_id
        head = http2.head(len(self._block), HEADERS, END_HEADERS, stream) + self._block
        if size <= http2.SMALLEST_FRAME and size <= self._window and size <= self._initial:
            self._window -= size
            self._transport.write(b"".join((head, http2.head(size, DATA, END_STREAM, stream), message)))
            return
        self._transport.write(head)
        self._unsent[stream] = [memoryview(message), self._initial]
        self._send_on(stream)

    def close(self) -> None:
        """Hang up."""
        self._closing = True
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Look for the ends of answers."""
        for kind, flags, stream, payload in self._frames.feed(data):
            if kind == DATA:
                self._taken += len(payload)
            elif kind == HEADERS:
                status = self._blocks.read(payload)
                if flags & END_STREAM:
                    self._end(stream, "" if status == "0" else f"gRPC {status}")
            elif kind == http2.RST_STREAM:
                self._end(stream, "stream reset")
            else:
                self._control(kind, flags, stream, payload)
        if self._taken > REFILL:
            self._transport.write(http2.number(http2.WINDOW_UPDATE, 0, self._taken))
            self._taken = 0

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Calls under way have failed."""
        if not self._closing:
            self._lost("the gateway closed a connection")
        for stream in tuple(self._waiting):
            self._end(stream, "connection lost")

    def _end(self, stream: int, error: str) -> None:
        self._unsent.pop(stream, None)
        request_id = self._waiting.pop(stream, None)
        if request_id is not None:
            self._answered(request_id, error)

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == http2.SETTINGS and not flags & http2.ACK:
            for name, value in http2.settings_in(payload):
                if name == http2.INITIAL_WINDOW_SIZE:
                    by, self._initial = value - self._initial, value
                    for one in self._unsent.values():
                        one[1] = cast("int", one[1]) + by
            self._transport.write(http2.frame(http2.SETTINGS, http2.ACK, 0))
        elif kind == http2.PING and not flags & http2.ACK:
            self._transport.write(http2.frame(http2.PING, http2.ACK, 0, payload))
        elif kind == http2.WINDOW_UPDATE:
            by = http2.number_in(payload)
            if stream == 0:
                self._window += by
            elif stream in self._unsent:
                self._unsent[stream][1] = cast("int", self._unsent[stream][1]) + by
        for waiting in tuple(self._unsent):
            self._send_on(waiting)

    def _send_on(self, stream: int) -> None:
        """Send what the windows let through of a large message."""
        left, window = cast("tuple[memoryview, int]", self._unsent[stream])
        parts: list[bytes | memoryview] = []
        while left and (room := min(http2.SMALLEST_FRAME, window, self._window)) > 0:
            piece, left = left[:room], left[room:]
            window, self._window = window - len(piece), self._window - len(piece)
            parts += (http2.head(len(piece), DATA, 0 if left else END_STREAM, stream), piece)
        self._transport.writelines(parts)
        if left:
            self._unsent[stream] = [left, window]
        else:
            del self._unsent[stream]


def _status(headers: Headers) -> str:
    return dict(headers).get("grpc-status", "")
