"""Doors for a load generator, as lean as can be: Redis and HTTP."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from scurry.bench.load import Answer
from scurry.bench.requests import Prepared
from scurry.client.streams import PARKED_S
from scurry.redis.address import Address
from scurry.redis.connection import Command, Connection, connect, pack, pack_set
from scurry.wire.shared_payloads import OwnPayloads

Listener = Callable[[list[Answer]], None]

TRIM_EVERY: Final = 2000


class RedisDoor:
    """Writes prepared commands on one connection and reads one reply stream on another."""

    def __init__(self, url: str, reply: str, requests: Sequence[Prepared], shared: OwnPayloads | None = None) -> None:
        """With `shared`, what is parked is left in this machine's memory, as our client does."""
        self._url, self._reply, self._requests = url, reply, requests
        self._shared, self._left = shared, dict[bytes, list[str]]()
        self._pile: list[Command] = []
        self._last, self._since_trim = b"0", 0
        self._is_closing = False
        self.failure = ""

    async def open(self, listener: Listener) -> None:
        """Connect and begin to read replies."""
        self._listener = listener
        address = Address.parse(self._url)
        self._writer = await connect(address, self._lost, RuntimeError)
        self._reader = await connect(address, self._lost, RuntimeError)
        self._read_on()

    def send(self, request_id: bytes, subject: int) -> None:
        """Queue one request."""
        request = self._requests[subject]
        for pieces, data in request.parked:
            self._park(request_id, request_id.join(pieces).decode(), data)
        self._pile.append(Command((request_id.join(request.entry),), then=self._written))

    def _park(self, request_id: bytes, key: str, data: bytes) -> None:
        if self._shared is not None and self._shared.put(key, data):
            self._left.setdefault(request_id, []).append(key)
        else:
            self._pile.append(Command(pack_set(key, data, PARKED_S), then=self._written))

    def flush(self) -> None:
        """Write what is queued, in one go."""
        if self._pile:
            self._writer.write(self._pile)
            self._pile.clear()

    async def close(self) -> None:
        """Forget the reply stream and hang up."""
        self._is_closing = True
        if self._shared is not None:
            self._shared.close()
        await ask(self._writer, "DEL", self._reply)
        self._writer.close()
        self._reader.close()

    def _read_on(self) -> None:
        words = ("XREAD", "COUNT", "10000", "BLOCK", "5000", "STREAMS", self._reply, self._last)
        self._reader.write([Command(pack(*words), then=self._arrived)])

    def _written(self, answer: object) -> None:
        if isinstance(answer, Exception):
            self.failure = self.failure or f"Redis refused a request: {answer}"

    def _lost(self, _connection: Connection, _cause: Exception | None) -> None:
        if not self._is_closing:
            self.failure = self.failure or "Redis closed the connection"

    def _arrived(self, answer: Any) -> None:  # noqa: ANN401 - whatever Redis answers
        if isinstance(answer, Exception):
            self.failure = f"the reply stream cannot be read: {answer}"
            return
        if answer:
            entries = answer[0][1]
            self._last = entries[-1][0]
            self._trim(len(entries))
            answers = [_answer(fields) for _, fields in entries]
            if self._shared is not None and self._left:
                for key in [key for request_id, _ in answers for key in self._left.pop(request_id, ())]:
                    self._shared.remove(key)
            self._listener(answers)
        self._read_on()

    def _trim(self, count: int) -> None:
        self._since_trim += count
        if self._since_trim >= TRIM_EVERY:
            self._since_trim = 0
            self._pile.append(Command(pack("XTRIM", self._reply, "MINID", self._last), then=self._written))


def _answer(fields: list[bytes]) -> Answer:
    """Id and error code of one reply entry; the egress writes `id` and `status` first."""
    if fields[0] == b"id" and fields[3] == b"ok":
        return fields[1], ""
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    failed = named.get(b"status") != b"ok"
    return named.get(b"id", b""), named.get(b"error", b"no code").decode() if failed else ""


async def ask(connection: Connection, *words: str | bytes) -> Any:  # noqa: ANN401 - whatever Redis answers
    """Send one command and await its answer."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    connection.write([Command(pack(*words), future)])
    return await future


class HttpDoor:
    """Keeps one HTTP/1.1 connection per caller; a request waits here when all are busy."""

    def __init__(
        self, host: str, port: int, requests: Sequence[bytes], callers: int, context: ssl.SSLContext | None = None
    ) -> None:
        self._address, self._requests, self._callers = (host, port), requests, callers
        self._context = context
        self._idle: deque[_HttpConnection] = deque()
        self._backlog: deque[tuple[bytes, int]] = deque()
        self.failure = ""

    async def open(self, listener: Listener) -> None:
        """Connect every caller."""
        self._listener = listener
        loop = asyncio.get_running_loop()
        for _ in range(self._callers):
            _, connection = await loop.create_connection(
                lambda: _HttpConnection(self._answered), *self._address, ssl=self._context
            )
            self._idle.append(connection)
        self._all = list(self._idle)

    def send(self, request_id: bytes, subject: int) -> None:
        """Send on an idle connection, or as soon as there is one."""
        if self._idle:
            self._idle.popleft().ask(request_id, self._requests[subject])
        else:
            self._backlog.append((request_id, subject))

    def flush(self) -> None:
        """Nothing is held back."""

    async def close(self) -> None:
        """Hang up all connections."""
        for connection in self._all:
            connection.close()

    def _answered(self, connection: _HttpConnection, answer: Answer) -> None:
        if connection.is_lost:
            self.failure = "the gateway closed a connection"
        elif self._backlog:
            request_id, subject = self._backlog.popleft()
            connection.ask(request_id, self._requests[subject])
        else:
            self._idle.append(connection)
        self._listener([answer])


class _HttpConnection(asyncio.Protocol):
    """One request at a time; reads status and Content-Length and nothing more."""

    def __init__(self, answered: Callable[[_HttpConnection, Answer], None]) -> None:
        self._answered, self._data, self._size, self._id = answered, b"", 0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    @property
    def is_lost(self) -> bool:
        """Whether the other side has hung up."""
        return self._transport.is_closing()

    def ask(self, request_id: bytes, request: bytes) -> None:
        """Send a request."""
        self._id, self._data, self._size = request_id, b"", 0
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Answer once head and body are there."""
        self._data = self._data + data if self._data else data
        if not self._size:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            self._size = end + 4 + _content_length(self._data[:end])
        if len(self._data) >= self._size:
            status = self._data[9:12]
            self._answered(self, (self._id, "" if status == b"200" else f"HTTP {status.decode()}"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """A request under way has failed."""
        if self._id and (not self._size or len(self._data) < self._size):
            self._answered(self, (self._id, "connection lost"))


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
