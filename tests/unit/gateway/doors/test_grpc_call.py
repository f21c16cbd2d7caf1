"""One gRPC call on its stream."""

from __future__ import annotations

import gzip
from urllib.parse import unquote

import pytest
from tests.unit.gateway.doors.line import Line, door_of

from scurry.gateway.doors.grpc_call import ROOMY
from scurry.protocols import http2
from scurry.protocols.oip_pb2 import ModelReadyRequest, ModelReadyResponse

READY = ModelReadyResponse(ready=True).SerializeToString()
ASKED = ModelReadyRequest(name="m").SerializeToString()


@pytest.fixture
async def line(client) -> Line:
    """A connection to the door that has greeted."""
    line = Line(door_of(client), max_body_bytes=1000)
    line.greet()
    return line


async def test_a_message_in_pieces_is_one(line):
    """However it is cut."""
    stream = line.head("ModelReady")
    wire = b"\x00" + len(ASKED).to_bytes(4, "big") + ASKED
    for at in range(len(wire)):
        line.data(stream, wire[at : at + 1], last=at == len(wire) - 1, framed=False)
    assert (await line.reply(stream)).messages == [READY]


async def test_compressed_messages_are_read_within_the_limit(line):
    """gzip is; a bomb is refused, and what is no gzip."""
    for message, status in ((ASKED, "0"), (bytes(10_000), "8")):
        stream = line.head("ModelReady", grpc_encoding="gzip")
        packed = gzip.compress(message)
        line.data(stream, b"\x01" + len(packed).to_bytes(4, "big") + packed, framed=False)
        assert (await line.reply(stream)).status == status
    stream = line.head("ModelReady", grpc_encoding="gzip")
    line.data(stream, b"\x01\x00\x00\x00\x03abc", framed=False)
    assert (await line.reply(stream)).status == "3"


async def test_a_message_above_the_limit_is_refused_before_it_comes(line):
    """By what stands before it."""
    stream = line.head("ModelReady")
    line.data(stream, b"\x00\x00\x00\x03\xe9", last=False, framed=False)
    reply = await line.reply(stream)
    assert reply.status == "8"
    assert "1001 bytes" in reply.text


async def test_memory_is_admitted_and_given_back(client):
    """A message is refused when there is none left for it, and takes none once it is answered."""
    line = Line(door_of(client), memory=3000)
    line.greet()
    first = line.head("ModelReady")
    line.data(first, b"\x00\x00\x00\x03\xe8", last=False, framed=False)
    assert (await line.call("ModelReady", ASKED)).status == "14"
    line.data(first, ASKED + bytes(1000 - len(ASKED)), framed=False)
    assert (await line.reply(first)).status == "3"
    assert (await line.call("ModelReady", ASKED)).status == "0"
    assert "<Admission 0 " in repr(line.admission)


async def test_two_messages_to_a_method_that_takes_one_are_refused(line):
    """And one that ends within a message."""
    stream = line.head("ModelReady")
    line.data(stream, ASKED, last=False)
    line.data(stream, ASKED)
    assert "takes one message" in (await line.reply(stream)).text
    stream = line.head("ModelReady")
    line.data(stream, b"\x00\x00\x00\x00\x09abc", framed=False)
    assert "ends within" in (await line.reply(stream)).text


async def test_a_stream_is_held_back_while_much_is_unanswered(client):
    """No window is given for messages beyond those."""

    class Silent:
        def begin(self, call, message):
            raise AssertionError

        def stream(self, call):
            self.call, self.got = call, 0
            return self

        def message(self, data, room):
            self.got += 1

        def end(self):
            pass

    door = Silent()
    line = Line(door)
    line.greet()
    stream = line.head("ModelStreamInfer")
    line.look()
    for _ in range(ROOMY + 10):
        line.data(stream, bytes(4000), last=False)
    assert door.got == ROOMY + 10
    given = sum(int.from_bytes(frame[3], "big") for frame in line.look() if frame[0] == http2.WINDOW_UPDATE)
    assert given < ROOMY * 4005
    for _ in range(20):
        door.call.answered()
    assert [frame[0] for frame in line.look()] == [http2.WINDOW_UPDATE]


async def test_errors_are_told_in_words_that_headers_can_hold(line):
    """Whatever the caller put into them."""
    reply = await line.call("ModelMetadata", ModelReadyRequest(name="größer%\n").SerializeToString())
    assert reply.status == "5"
    assert reply.text.isascii()
    assert "größer%\\n" in unquote(reply.text)


class Later:
    """A door that answers when the test says so."""

    def begin(self, call, message):
        self.call = call

    def stream(self, call):
        return None


async def test_what_comes_behind_an_answer_takes_no_memory():
    """Not even while the answer waits for a window."""
    line = Line(Later())
    door = line.door
    line.greet((http2.INITIAL_WINDOW_SIZE, 10))
    stream = line.head("ModelReady")
    line.data(stream, ASKED, last=False)
    door.call.answer((bytes(1000),))
    line.look()
    assert stream not in line.ended
    line.data(stream, b"\x00\x00\x10\x00\x00" + bytes(100), last=False, framed=False)
    assert "<Admission 0 " in repr(line.admission)


async def test_memory_of_a_call_that_is_taken_back_is_free_when_the_door_is_done():
    """Whatever the door took for it since."""
    line = Line(Later())
    line.greet()
    stream = line.head("ModelReady")
    line.data(stream, ASKED)
    line.send(http2.number(http2.RST_STREAM, stream, http2.CANCEL))
    assert "<Admission 0 " not in repr(line.admission)
    line.door.call.room.take(1000)
    line.door.call.answer((b"late",))
    assert "<Admission 0 " in repr(line.admission)
    assert stream not in line.ended


async def test_each_call_is_counted_once_when_it_ends(line):
    """Answered or refused, with its code and bytes; what the door finds out of it is told along."""
    await line.call("ModelReady", ASKED)
    await line.call("ModelMetadata", ModelReadyRequest(name="nobody").SerializeToString())
    answered, refused = line.noted
    assert answered[:3] == ("ModelReady", "OK", "ok")
    assert answered[4:] == (len(ASKED), len(READY), "m", "")
    assert answered.seconds >= 0
    assert refused[:3] == ("ModelMetadata", "NOT_FOUND", "model_not_found")
    assert (refused.sent, refused.model) == (0, "nobody")


async def test_what_is_refused_before_its_message_is_whole_took_no_time(line):
    """However long the caller was waited for."""
    stream = line.head("ModelReady")
    line.data(stream, b"\x00\x00\x00\x03\xe9", last=False, framed=False)
    assert [one[1:6] for one in line.noted] == [("RESOURCE_EXHAUSTED", "too_large", 0.0, 0, 0)]


async def test_a_call_that_its_caller_takes_back_is_counted_as_such():
    """Once, though its answer comes yet."""
    line = Line(Later())
    line.greet()
    stream = line.head("ModelReady")
    line.data(stream, ASKED)
    line.send(http2.number(http2.RST_STREAM, stream, http2.CANCEL))
    line.door.call.answer((b"late",))
    line.head("ModelReady")
    line.connection.connection_lost(None)
    assert [one[1:3] for one in line.noted] == [("CANCELLED", "cancelled")] * 2
    assert line.noted[0].received == len(ASKED)


async def test_an_answer_that_waits_for_room_is_forgotten_when_its_caller_takes_it_back():
    """It is in nobody's memory, and nothing is written on its stream once there is room."""
    line = Line(Later())
    line.greet()
    streams = []
    for _ in range(2):
        streams.append(line.head("ModelReady"))
        line.data(streams[-1], ASKED)
        line.door.call.answer((bytes(40_000),))
    line.look()
    assert len(line.bodies[streams[1]]) == http2.WINDOW - len(line.bodies[streams[0]])
    line.send(http2.number(http2.RST_STREAM, streams[1], http2.CANCEL), http2.number(http2.WINDOW_UPDATE, 0, 1 << 20))
    assert [frame for frame in line.look() if frame[2] == streams[1]] == []
    assert "0 streams blocked" in repr(line.connection.calls.sending)


async def test_a_compressed_message_counts_as_it_came(line):
    """Its time begins before it is unpacked."""
    stream = line.head("ModelReady", grpc_encoding="gzip")
    packed = gzip.compress(ASKED)
    line.data(stream, b"\x01" + len(packed).to_bytes(4, "big") + packed, framed=False)
    await line.reply(stream)
    assert line.noted[0].received == len(packed)
