"""Requests in any pieces, responses in their order. Real sockets: tests/integration/test_listener.py."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.gateway.doors import patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.heads import MAX_HEAD, Head, Heads
from scurry.gateway.doors.http_connection import AHEAD, HttpConnection
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.limits import COPIES, Admission, Room

LIMIT = 4 * AHEAD


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed, self.aborted, self.paused = b"", False, False, False
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


class Door:
    """Tells each request what it was: at once, or once it is let."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.waiting: list[Any] = []

    def begin(self, head: Head, body: bytes, room: Room, done: Any) -> None:
        self.asked.append((head.target, body))
        reply = json_reply({"target": head.target, "size": len(body)})
        if head.target.startswith("/later"):
            self.waiting.append(lambda: done(reply))
        else:
            done(reply)

    def let(self) -> None:
        waiting, self.waiting = self.waiting, []
        for answer in waiting:
            answer()


class Unusual(asyncio.Protocol):
    """Where connections go that are handed over."""

    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class Host:
    """Everything a connection needs, in memory."""

    max_body_bytes = LIMIT
    body_timeout_s = 1.0
    is_stopping = False

    def __init__(self) -> None:
        self.door: Any = Door()
        self.admission = Admission(COPIES * LIMIT)
        self.heads = Heads()
        self.connections: set[HttpConnection] = set()
        self.census = Census()
        self.handed: list[Unusual] = []
        self.noted: list[tuple[str, int]] = []

    def note(self, head: Head, reply: HttpReply, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.noted.append((head.target, reply.status))

    def unusual(self, door: object) -> Unusual:
        assert door is self.door
        self.handed.append(Unusual())
        return self.handed[-1]


def connected() -> tuple[Host, HttpConnection, Transport]:
    """A caller's connection."""
    host, transport = Host(), Transport()
    connection = HttpConnection(host)
    connection.connection_made(transport)
    return host, connection, transport


def request(target: str, body: bytes = b"", *headers: str, method: str = "POST") -> bytes:
    """A whole request."""
    lines = (f"{method} {target} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def responses(written: bytes) -> list[tuple[str, int]]:
    """What the responses tell, in their order."""
    found = []
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        size = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        told, written = orjson.loads(rest[:size]), rest[size:]
        found.append((told["target"], told["size"]))
    return found


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["/now", "/later"]), st.integers(0, 300)), min_size=1, max_size=8),
    st.lists(st.integers(1, 400), max_size=30),
)
async def test_any_pieces_give_the_same_answers_in_order(wanted: list[tuple[str, int]], cuts: list[int]) -> None:
    """However a pipeline is cut, whether answers come at once or later, with pieces coming meanwhile."""
    host, connection, transport = connected()
    stream = b"".join(request(f"{target}/{at}", bytes(size)) for at, (target, size) in enumerate(wanted))
    for cut in [*cuts, len(stream)]:
        if stream:
            connection.data_received(stream[:cut])
        stream = stream[cut:]
        if cut % 3 == 0:
            host.door.let()
    while host.door.waiting:
        host.door.let()
    assert responses(transport.written) == [(f"{target}/{at}", size) for at, (target, size) in enumerate(wanted)]
    assert repr(host.admission).startswith("<Admission 0 of")
    assert repr(connection) == "<HttpConnection idle, 0 bytes unread>"


async def test_a_long_pipeline_of_quick_answers_is_no_recursion() -> None:
    """Each answer lets the next be read."""
    _, connection, transport = connected()
    connection.data_received(request("/now") * 5000)
    assert len(responses(transport.written)) == 5000


async def test_head_and_closing_are_as_asked() -> None:
    """HEAD gets no body; after `Connection: close` the connection is."""
    _, connection, transport = connected()
    connection.data_received(request("/now", b"", method="HEAD"))
    assert transport.written.endswith(b"\r\n\r\n")
    connection.data_received(request("/now", b"", "Connection: close"))
    assert b"\r\nConnection: close\r\n" in transport.written
    assert transport.closed


async def test_one_who_sends_ahead_is_not_read_meanwhile() -> None:
    """And is, once it has been answered."""
    host, connection, transport = connected()
    connection.data_received(request("/later"))
    connection.data_received(request("/now", bytes(AHEAD + 1)))
    assert transport.paused
    host.door.let()
    assert not transport.paused
    assert [target for target, _ in responses(transport.written)] == ["/later", "/now"]


async def test_one_who_does_not_read_is_not_answered_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it reads; if it never does it is left."""
    monkeypatch.setattr(patience, "SEND_S", 1.0)
    _, connection, transport = connected()
    connection.pause_writing()
    connection.data_received(request("/now"))
    assert transport.written == b""
    connection.resume_writing()
    assert responses(transport.written) == [("/now", 0)]
    connection.pause_writing()
    later(connection, 0.5)
    assert not transport.aborted
    later(connection, 1.5)
    assert transport.aborted


@pytest.mark.parametrize(
    ("data", "seconds", "said"),
    [
        (b"POST / HT", patience.HEAD_S, b"head did not arrive"),
        (request("/now", b"12345")[:-1], Host.body_timeout_s, b"body did not arrive"),
        (b"", patience.IDLE_S, b""),
        (request("/now"), patience.IDLE_S, b""),
    ],
)
async def test_one_who_is_late_is_parted_with(data: bytes, seconds: float, said: bytes) -> None:
    """With a sentence if it has begun to ask; the room that its body had is free again."""
    host, connection, transport = connected()
    if data:
        connection.data_received(data)
    transport.written = b""
    later(connection, seconds - 0.5)
    assert not transport.closed
    later(connection, seconds + 0.5)
    assert transport.closed
    assert said in transport.written
    assert bool(said) == bool(transport.written)
    connection.connection_lost(None)
    assert repr(host.admission).startswith("<Admission 0 of")
    assert not host.connections


@pytest.mark.parametrize(
    ("data", "said"), [(request("/now", b"12345")[:-2], b"3 of 5 bytes"), (b"POST / HT", b"head"), (b"", b"")]
)
async def test_one_who_stops_sending_is_told_what_is_missing(data: bytes, said: bytes) -> None:
    """A body shorter than its head says, of a caller who still listens; between requests it is a farewell."""
    host, connection, transport = connected()
    if data:
        connection.data_received(data)
    assert not connection.eof_received()
    assert transport.written.startswith(b"HTTP/1.1 400" if said else b"")
    assert said in transport.written
    connection.connection_lost(None)
    assert repr(host.admission).startswith("<Admission 0 of")


async def test_one_who_waits_for_us_is_not_late() -> None:
    """The answer has a time of its own; if it comes to nobody, its room is free again all the same."""
    host, connection, transport = connected()
    connection.data_received(request("/later", b"12"))
    later(connection, 1000)
    assert not transport.closed
    connection.connection_lost(None)
    assert not repr(host.admission).startswith("<Admission 0 of")
    host.door.let()
    assert repr(host.admission).startswith("<Admission 0 of")
    assert transport.written == b""


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        request("/now", b"", "Transfer-Encoding: chunked"),
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (LIMIT + 1),
    ],
)
async def test_what_is_unusual_goes_to_aiohttp(data: bytes) -> None:
    """With every byte that came, after what was usual."""
    host, connection, transport = connected()
    connection.data_received(request("/now") + data)
    (other,) = host.handed
    assert (transport.protocol, other.received) == (other, data)
    assert not host.connections
    assert responses(transport.written) == [("/now", 0)]


async def test_a_body_without_room_goes_to_aiohttp() -> None:
    """It says why."""
    host, connection, _ = connected()
    with host.admission.room() as room:
        room.take(1)
        connection.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % LIMIT)
    assert len(host.handed) == 1
    assert repr(host.admission).startswith("<Admission 0 of")


async def test_leaving_lets_the_answer_out_first() -> None:
    """The connection closes behind it; one on which nothing is asked waits to say so with its next answer."""
    host, connection, transport = connected()
    connection.data_received(request("/later"))
    connection.leave()
    assert not transport.closed
    host.door.let()
    assert b"Connection: close" in transport.written
    assert transport.closed
    _, idle, transport = connected()
    idle.leave()
    assert idle.is_idle
    assert not transport.closed
    idle.data_received(request("/now")[:-1])
    assert not idle.is_idle  # what has begun to come is waited for
    idle.data_received(request("/now")[-1:])
    assert responses(transport.written) == [("/now", 0)]
    assert b"Connection: close" in transport.written
    assert transport.closed


@pytest.mark.parametrize("data", [b"A" * (MAX_HEAD + 1), b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n"])
async def test_a_head_above_its_limit_is_refused(data: bytes) -> None:
    """By us, with the limit; whether its end has come or not."""
    host, connection, transport = connected()
    connection.data_received(request("/now"))
    transport.written = b""
    connection.data_received(data)
    assert transport.written.startswith(b"HTTP/1.1 413 ")
    assert str(MAX_HEAD).encode() in transport.written
    assert transport.closed
    assert not host.handed


def later(connection: HttpConnection, seconds: float) -> None:
    """What a look so many seconds on finds."""
    connection.give_up_late(asyncio.get_running_loop().time() + seconds)
