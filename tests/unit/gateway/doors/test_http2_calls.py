"""The calls of one HTTP/2 connection."""

from __future__ import annotations

import pytest
from tests.unit.gateway.doors.line import Line, door_of

from scurry.gateway.doors.grpc_call import STREAM_WINDOW
from scurry.gateway.doors.http2_calls import HEAD_BYTES
from scurry.protocols import http2


@pytest.fixture
async def line(client) -> Line:
    """A connection to the door that has greeted."""
    line = Line(door_of(client))
    line.greet()
    return line


async def test_a_block_of_headers_may_go_on(line):
    """In CONTINUATION, with nothing between."""
    block = line.encoder.encode([(":method", "POST"), (":path", "/inference.GRPCInferenceService/ServerLive"),
                                 ("content-type", "application/grpc")])  # fmt: skip
    line.send(http2.frame(http2.HEADERS, 0, 1, block[:5]), http2.frame(http2.CONTINUATION, 0, 1, block[5:9]))
    line.send(http2.frame(http2.CONTINUATION, http2.END_HEADERS, 1, block[9:]))
    line.data(1, b"")
    assert (await line.reply(1)).status == "0"
    line.send(http2.frame(http2.HEADERS, 0, 3, block[:5]), http2.frame(http2.PING, 0, 0, b"12345678"))
    assert line.transport.closed


async def test_headers_without_end_are_not_collected(line):
    """Nor is a table that grows with them."""
    line.send(http2.frame(http2.HEADERS, 0, 1, b""))
    for _ in range(5):
        line.send(http2.frame(http2.CONTINUATION, 0, 1, bytes(HEAD_BYTES)))
    assert line.transport.closed


async def test_headers_with_priority_and_padding_are_read(line):
    """Other clients send these."""
    block = line.encoder.encode([(":method", "POST"), (":path", "/inference.GRPCInferenceService/ServerLive"),
                                 ("content-type", "application/grpc")])  # fmt: skip
    flags = http2.END_HEADERS | http2.PADDED | http2.PRIORITIZED
    line.send(http2.frame(http2.HEADERS, flags, 1, b"\x03" + b"\0\0\0\0\x10" + block + b"\0\0\0"))
    line.send(http2.frame(http2.DATA, http2.PADDED | http2.END_STREAM, 1, b"\x02" + bytes(5) + b"\0\0"))
    assert (await line.reply(1)).status == "0"


async def test_what_comes_after_the_answer_is_passed_over(line):
    """The caller is told with RST_STREAM that nobody listens."""
    stream = line.head("ModelInfer")
    line.data(stream, b"\x00\x7f\xff\xff\xff", last=False, framed=False)  # 2 GB
    assert (await line.reply(stream)).status == "8"
    assert (http2.RST_STREAM, 0, stream, b"\0\0\0\0") in line.frames
    line.data(stream, b"more", framed=False)
    assert not line.transport.closed


async def test_a_call_that_is_taken_back_is_answered_to_nobody(line, client):
    """Nothing is written on its stream any more."""
    stream = line.head("ServerLive")
    line.data(stream, b"")
    line.send(http2.number(http2.RST_STREAM, stream, http2.CANCEL))
    assert (await line.call("ServerLive", b"")).status == "0"
    assert stream not in line.ended


async def test_room_is_made_for_a_message_once_there_is_memory(line):
    """What is missing of it may come, beyond what may come anyway."""
    stream = line.head("ModelInfer")
    line.look()
    size = 3 * STREAM_WINDOW
    line.data(stream, b"\x00" + size.to_bytes(4, "big") + bytes(95), last=False, framed=False)
    (kind, _, number, payload), = line.look()
    assert (kind, number) == (http2.WINDOW_UPDATE, stream)
    assert int.from_bytes(payload, "big") == size + 5 - STREAM_WINDOW


async def test_what_is_no_grpc_is_refused(line):
    """With a status that gRPC callers understand."""
    stream = line.head("ServerLive", content_type="text/plain")
    assert (await line.reply(stream)).status == "3"


async def test_a_call_without_a_message_is_refused(line):
    """Whether it ends with its headers or later."""
    stream = line.head("ServerLive", flags=http2.END_HEADERS | http2.END_STREAM)
    assert (await line.reply(stream)).status == "3"
    stream = line.head("ServerLive")
    line.data(stream, b"", framed=False)
    assert "no message" in (await line.reply(stream)).text
