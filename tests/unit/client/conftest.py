"""A Redis in memory that speaks the protocol to a `Connection`: the client's tests open no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import hiredis
import pytest

from scurry.redis import dial
from scurry.redis.connection import Connection


class FakeTransport(asyncio.Transport):
    """Hands what is written to a server and its answers back, in the same turn of the loop or the next."""

    def __init__(self, server: FakeRedis, link: Connection) -> None:
        super().__init__()
        self.server, self.link = server, link
        self.reader = hiredis.Reader()
        self.closed = False
        self.blocked: tuple[bytes, bytes] | None = None
        link.connection_made(self)

    def writelines(self, parts: Any) -> None:
        data = b"".join(parts)
        self.server.writes.append(data)
        self.reader.feed(data)
        while (command := self.reader.gets()) is not False:
            self.server.take(self, command)

    def answer(self, data: bytes) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.closed or self.link.data_received(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.link.connection_lost, None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class FakeRedis:
    """Strings, streams and the few commands that the client uses. `job` answers each request entry."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.commands: list[list[bytes]] = []
        self.strings: dict[bytes, bytes] = {}
        self.hashes: dict[bytes, list[bytes]] = {}
        self.streams: dict[bytes, list[tuple[bytes, list[bytes]]]] = {}
        self.links: list[FakeTransport] = []
        self.down = False
        self.deaf = False  # takes commands and answers nothing
        self.refuse: bytes = b""
        self.job: Callable[[dict[bytes, bytes]], dict[str, Any] | None] = lambda fields: None
        self._number = 0

    async def connect(self, address: Any, *callbacks: Any) -> Connection:
        if self.down:
            raise ConnectionRefusedError(111, "Connection refused")
        link = Connection(*callbacks)
        link.greeted = True
        self.links.append(FakeTransport(self, link))
        await asyncio.sleep(0)
        return link

    def drop(self) -> None:
        """Close every connection, as a Redis that dies."""
        for transport in self.links:
            transport.close()
        self.links.clear()

    def entries(self, stream: str) -> list[dict[bytes, bytes]]:
        """The fields of a stream's entries."""
        return [dict(zip(flat[::2], flat[1::2], strict=True)) for _, flat in self.streams.get(stream.encode(), [])]

    def take(self, transport: FakeTransport, command: list[bytes]) -> None:
        self.commands.append(command)
        if self.deaf:
            return
        if self.refuse and command[0] == b"XADD":
            transport.answer(b"-" + self.refuse + b"\r\n")
            return
        getattr(self, "on_" + command[0].decode().lower())(transport, *command[1:])

    def on_ping(self, transport: FakeTransport) -> None:
        transport.answer(b"+PONG\r\n")

    def on_get(self, transport: FakeTransport, key: bytes) -> None:
        transport.answer(bulk(self.strings.get(key)))

    def on_set(self, transport: FakeTransport, key: bytes, value: bytes, *_: bytes) -> None:
        self.strings[key] = value
        transport.answer(b"+OK\r\n")

    def on_mget(self, transport: FakeTransport, *keys: bytes) -> None:
        transport.answer(array([bulk(self.strings.get(key)) for key in keys]))

    def on_unlink(self, transport: FakeTransport, *keys: bytes) -> None:
        for key in keys:
            self.strings.pop(key, None)
            self.streams.pop(key, None)
            self.hashes.pop(key, None)
        transport.answer(b":1\r\n")

    def on_hget(self, transport: FakeTransport, key: bytes, field: bytes) -> None:
        flat = self.hashes.get(key, [])
        transport.answer(bulk(dict(zip(flat[::2], flat[1::2], strict=True)).get(field)))

    def on_hkeys(self, transport: FakeTransport, key: bytes) -> None:
        transport.answer(array([bulk(word) for word in self.hashes.get(key, [])[::2]]))

    def on_hmget(self, transport: FakeTransport, key: bytes, *fields: bytes) -> None:
        flat = self.hashes.get(key, [])
        known = dict(zip(flat[::2], flat[1::2], strict=True))
        transport.answer(array([bulk(known.get(field)) for field in fields]))

    def on_hgetall(self, transport: FakeTransport, key: bytes) -> None:
        transport.answer(array([bulk(word) for word in self.hashes.get(key, [])]))

    def on_xadd(self, transport: FakeTransport, stream: bytes, _: bytes, *flat: bytes) -> None:
        entry = self.add(stream, list(flat))
        transport.answer(bulk(entry))
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        reply = self.job(fields)
        if reply is not None:
            self.reply(fields, reply)

    def reply(self, fields: dict[bytes, bytes], reply: dict[str, Any]) -> None:
        """Append a reply to the stream that a request names."""
        flat: list[bytes] = [b"id", fields[b"id"], b"model", fields[b"model"]]
        for name, value in reply.items():
            flat += [name.encode(), value if isinstance(value, bytes) else str(value).encode()]
        self.add(fields[b"reply"], flat)
        for transport in self.links:
            if transport.blocked:
                self.serve_blocked(transport)

    def add(self, stream: bytes, flat: list[bytes]) -> bytes:
        self._number += 1
        entry = b"1-%d" % self._number
        self.streams.setdefault(stream, []).append((entry, flat))
        return entry

    def on_xrevrange(self, transport: FakeTransport, stream: bytes, last: bytes, *words: bytes) -> None:
        assert words[:2] == (b"-", b"COUNT"), "from the end, so many"
        numbers = float("inf") if last == b"+" else int(last.removeprefix(b"(").partition(b"-")[2])
        older = [one for one in self.streams.get(stream, []) if int(one[0].partition(b"-")[2]) < numbers]
        page = older[::-1][: int(words[2])]
        transport.answer(array([array([bulk(entry), array([bulk(word) for word in flat])]) for entry, flat in page]))

    def on_xrange(self, transport: FakeTransport, stream: bytes, first: bytes, *words: bytes) -> None:
        assert words[:2] == (b"+", b"COUNT"), "from the beginning, so many"
        number = -1 if first == b"-" else int(first.removeprefix(b"(").partition(b"-")[2])
        page = [one for one in self.streams.get(stream, []) if int(one[0].partition(b"-")[2]) > number][: int(words[2])]
        transport.answer(array([array([bulk(entry), array([bulk(word) for word in flat])]) for entry, flat in page]))

    def on_xtrim(self, transport: FakeTransport, stream: bytes, _: bytes, least: bytes) -> None:
        number = int(least.partition(b"-")[2])
        kept = [one for one in self.streams.get(stream, []) if int(one[0].partition(b"-")[2]) >= number]
        self.streams[stream] = kept
        transport.answer(b":1\r\n")

    def on_xread(self, transport: FakeTransport, *words: bytes) -> None:
        transport.blocked = (words[-2], words[-1])
        self.serve_blocked(transport)

    def serve_blocked(self, transport: FakeTransport) -> None:
        assert transport.blocked
        stream, last = transport.blocked
        number = int(last.partition(b"-")[2])
        fresh = [one for one in self.streams.get(stream, []) if int(one[0].partition(b"-")[2]) > number]
        if fresh:
            transport.blocked = None
            items = [array([bulk(entry), array([bulk(word) for word in flat])]) for entry, flat in fresh]
            transport.answer(array([array([bulk(stream), array(items)])]))


def bulk(value: bytes | None) -> bytes:
    """A string as Redis sends it."""
    return b"$-1\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value)


def array(items: list[bytes]) -> bytes:
    """An array as Redis sends it."""
    return b"*%d\r\n%b" % (len(items), b"".join(items))


@pytest.fixture
def redis(monkeypatch) -> FakeRedis:
    """Every client that is opened talks to this."""
    fake = FakeRedis()
    monkeypatch.setattr(dial, "connect", fake.connect)
    return fake
