"""The load generator's doors, against connections that only remember."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.bench import doors
from scurry.bench.doors import HttpDoor, RedisDoor, _HttpConnection
from scurry.bench.load import Answer
from scurry.bench.requests import Prepared


class Redis:
    """Keeps what was written; answers nothing by itself but DEL."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.is_open = True

    def write(self, commands: list[Any]) -> None:
        self.written += commands
        for command in commands:
            if command.future is not None:
                command.future.set_result(1)

    def close(self) -> None:
        self.is_open = False


class Transport:
    """Keeps what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True


@pytest.fixture
async def redis_door(monkeypatch: pytest.MonkeyPatch) -> tuple[RedisDoor, Redis, Redis, list[Answer]]:
    """An open door, its writing and its reading connection, and the answers it heard."""
    made: list[Redis] = []

    async def connect(*_: object) -> Redis:
        made.append(Redis())
        return made[-1]

    monkeypatch.setattr(doors, "connect", connect)
    heard: list[Answer] = []
    door = RedisDoor("redis://r:1/0", "replies", [Prepared([b"<", b">"], ())])
    await door.open(heard.extend)
    return door, made[0], made[1], heard


def entry(number: int, *fields: bytes) -> tuple[bytes, list[bytes]]:
    """One entry of the reply stream."""
    return b"1-%d" % number, list(fields)


async def test_requests_are_written_together(redis_door) -> None:
    """Each with its id in the prepared command; nothing goes out before the flush."""
    door, writer, _, _ = redis_door
    door.send(b"a", 0)
    door.send(b"b", 0)
    assert writer.written == []
    door.flush()
    door.flush()
    assert [command.parts for command in writer.written] == [(b"<a>",), (b"<b>",)]


async def test_replies_are_heard_and_read_on_from_the_last(redis_door) -> None:
    """Good ones, refused ones, and those whose fields come in another order."""
    door, _, reader, heard = redis_door
    entries = [
        entry(1, b"id", b"a", b"status", b"ok"),
        entry(2, b"id", b"b", b"status", b"error", b"error", b"overloaded"),
        entry(3, b"status", b"ok", b"id", b"c"),
        entry(4, b"id", b"d", b"status", b"error"),
    ]
    reader.written[0].then([[b"replies", entries]])
    assert heard == [(b"a", ""), (b"b", "overloaded"), (b"c", ""), (b"d", "no code")]
    assert b"1-4" in b"".join(reader.written[1].parts)
    assert door.failure == ""


async def test_what_goes_wrong_is_the_doors_failure(redis_door) -> None:
    """A refused write; the first one stays."""
    door, writer, _, _ = redis_door
    door.send(b"a", 0)
    door.flush()
    writer.written[0].then(RuntimeError("OOM"))
    door._lost(writer, None)
    assert door.failure == "Redis refused a request: OOM"


async def test_closing_deletes_the_reply_stream(redis_door) -> None:
    """And is no failure, although the connections end."""
    door, writer, reader, _ = redis_door
    await door.close()
    door._lost(reader, None)
    assert b"DEL" in b"".join(writer.written[-1].parts)
    assert (writer.is_open, reader.is_open, door.failure) == (False, False, "")


def http_door(callers: int) -> tuple[HttpDoor, list[Transport], list[Answer]]:
    """An open door with that many connections."""
    heard: list[Answer] = []
    door = HttpDoor("h", 1, [b"POST 0", b"POST 1"], callers)
    door._listener = heard.extend
    transports = [Transport() for _ in range(callers)]
    for transport in transports:
        connection = _HttpConnection(door._answered)
        connection.connection_made(transport)  # type: ignore[arg-type]
        door._idle.append(connection)
    return door, transports, heard


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_an_answer_may_come_in_pieces(cut: int) -> None:
    """Wherever it is cut, it is heard once, when it is whole."""
    door, _, heard = http_door(1)
    connection = door._idle[0]
    door.send(b"a", 0)
    connection.data_received(OK[:cut])
    assert heard == []
    connection.data_received(OK[cut:])
    assert heard == [(b"a", "")]


def test_a_request_waits_for_an_idle_connection() -> None:
    """One at a time on each; a refusal is heard with its status."""
    door, (transport,), heard = http_door(1)
    connection = door._idle[0]
    door.send(b"a", 0)
    door.send(b"b", 1)
    assert transport.written == [b"POST 0"]
    connection.data_received(BUSY)
    assert transport.written == [b"POST 0", b"POST 1"]
    connection.data_received(OK)
    assert heard == [(b"a", "HTTP 503"), (b"b", "")]


def test_a_connection_that_is_lost_fails_its_request_and_the_door() -> None:
    """It is not used again."""
    door, (transport,), heard = http_door(1)
    connection = door._idle[0]
    door.send(b"a", 0)
    transport.closing = True
    connection.connection_lost(None)
    assert heard == [(b"a", "connection lost")]
    assert "closed a connection" in door.failure
    assert not door._idle
