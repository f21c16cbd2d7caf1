"""One caller's HTTP/2 connection."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.gateway.doors.line import Line, door_of

from scurry.gateway.doors.http2_connection import CALM
from scurry.protocols import http2
from scurry.protocols.oip_pb2 import ServerLiveResponse


@pytest.fixture
async def line(client) -> Line:
    """A connection to the door."""
    return Line(door_of(client))


def kinds(line: Line) -> list[int]:
    """Types of the frames that were written since."""
    return [kind for kind, *_ in line.look()]


async def test_it_says_its_limits_and_takes_those_of_the_caller(line):
    """Settings are told at once and acknowledged."""
    assert kinds(line) == [http2.SETTINGS, http2.WINDOW_UPDATE]
    line.greet((http2.INITIAL_WINDOW_SIZE, 1000))
    assert kinds(line) == [http2.SETTINGS]
    assert line.frames[-1][1] == http2.ACK


async def test_the_greeting_may_come_in_pieces(line):
    """A byte at a time, with a call behind it."""
    for byte in http2.PREFACE + http2.settings(()):
        line.send(bytes((byte,)))
    assert (await line.call("ServerLive", b"")).messages == [ServerLiveResponse(live=True).SerializeToString()]


async def test_what_is_no_http2_is_told_so(line):
    """HTTP/1.1 has a port of its own."""
    line.send(b"GET / HTTP/1.1\r\n\r\n")
    line.look()
    assert line.transport.closed
    assert b"HTTP/1.1 has a port of its own" in line.frames[-1][3]


async def test_a_ping_is_answered_with_its_own_bytes(line):
    """Channels look this way whether anybody is there."""
    line.greet()
    line.look()
    line.send(http2.frame(http2.PING, 0, 0, b"12345678"))
    assert line.look() == [(http2.PING, http2.ACK, 0, b"12345678")]


async def test_frames_for_their_own_sake_end_the_connection(line):
    """But not those between which calls are answered."""
    line.greet()
    ping = http2.frame(http2.PING, 0, 0, b"12345678")
    line.send(ping * (CALM - 2))
    assert (await line.call("ServerLive", b"")).status == "0"
    line.send(ping * (CALM - 2))
    assert not line.transport.closed
    line.send(ping * 10)
    assert line.transport.closed


@pytest.mark.parametrize("broken", [
    http2.frame(http2.SETTINGS, 0, 0, b"12345"),
    http2.frame(http2.PING, 0, 0, b"1"),
    http2.frame(http2.WINDOW_UPDATE, 0, 0, b"1"),
    http2.frame(http2.PUSH_PROMISE, 0, 1, b""),
    http2.number(http2.WINDOW_UPDATE, 0, http2.LARGEST_WINDOW),
    http2.settings(((http2.INITIAL_WINDOW_SIZE, 2**31),)),
    http2.frame(http2.DATA, 0, 1, b"x"),
    http2.frame(http2.HEADERS, http2.END_HEADERS, 2, b"\x83"),
    http2.frame(http2.HEADERS, http2.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
    http2.frame(http2.HEADERS, http2.END_HEADERS | http2.PADDED, 1, b"\x09abc"),
    http2.frame(http2.CONTINUATION, 0, 1, b""),
    http2.head(1 << 20, http2.DATA, 0, 1),
])  # fmt: skip
async def test_who_breaks_the_protocol_is_told_and_hung_up_on(line, broken):
    """With GOAWAY; nothing is raised."""
    line.greet()
    line.send(broken)
    assert kinds(line)[-1] == http2.GOAWAY
    assert line.transport.closed


async def test_unknown_frames_are_passed_over(line):
    """As HTTP/2 wants it; priorities as well."""
    line.greet()
    line.send(http2.frame(0x42, 0xFF, 1, b"what"), http2.frame(http2.PRIORITY, 0, 1, b"12345"))
    assert (await line.call("ServerLive", b"")).status == "0"


async def test_who_leaves_says_so_and_answers_what_was_asked(line):
    """GOAWAY at once, the answer, then the end."""
    line.greet()
    stream = line.head("ServerLive")
    line.data(stream, b"")
    line.connection.leave()
    assert http2.GOAWAY in kinds(line)
    assert not line.transport.closed
    assert (await line.reply(stream)).status == "0"


    await asyncio.sleep(0)
    assert line.transport.closed


async def test_callers_that_are_late_are_parted_with(line):
    """A greeting that does not come, a message that does not end."""
    line.connection.give_up_late(line.connection._loop.time() + 60)
    assert line.transport.closed
    other = Line(line.door)
    other.greet()
    stream = other.head("ModelInfer")
    other.data(stream, b"\x00\x00\x00\x00\x09abc", last=False, framed=False)
    other.connection.give_up_late(other.connection._loop.time() + 4)
    assert stream not in other.ended
    other.connection.give_up_late(other.connection._loop.time() + 6)
    reply = await other.reply(stream)
    assert "did not arrive" in reply.text
    assert not other.transport.closed


async def test_what_a_caller_left_is_given_back(line):
    """Memory of messages that will never be whole."""
    line.greet()
    line.data(line.head("ModelInfer"), b"\x00\x00\x10\x00\x00abc", last=False, framed=False)
    assert "<Admission 0 " not in repr(line.admission)
    line.connection.connection_lost(None)
    assert "<Admission 0 " in repr(line.admission)
    assert not line.connections
