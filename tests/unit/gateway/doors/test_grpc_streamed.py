"""One of the messages of a call that has many."""

from __future__ import annotations

import asyncio

from tests.unit.gateway.doors.line import Line

from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_streamed import Streamed
from scurry.gateway.limits import Room
from scurry.protocols import http2


class Echo:
    """Keeps the messages of a call."""

    def __init__(self) -> None:
        self.messages: list[Streamed] = []

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """There is no such call."""
        raise AssertionError

    def stream(self, call: GrpcCall) -> Echo:
        """All are."""
        self.call = call
        return self

    def message(self, data: bytes, room: Room) -> None:
        """One has come."""
        assert data == b"asked"
        self.messages.append(Streamed(self.call, room))

    def end(self) -> None:
        """The test knows."""

    def stop(self) -> None:
        """Likewise."""


async def test_each_message_has_its_own_time_and_its_own_answer() -> None:
    """In whichever order; the second is the younger one. Memory is given back with each."""
    line = Line(door := Echo())
    line.greet()
    stream = line.head("/a.Service/Method")
    line.data(stream, b"asked", last=False)
    await asyncio.sleep(0.02)
    line.data(stream, b"asked", last=False)
    first, second = door.messages
    second.answer((b"to ", b"two"))
    first.end("NOT_FOUND", "model_not_found", (b"to one",))
    line.look()
    assert line.messages(stream) == [b"to two", b"to one"]
    assert [(*one[:3], *one[4:6]) for one in line.noted] == [
        ("Method", "OK", "ok", 5, 6), ("Method", "NOT_FOUND", "model_not_found", 5, 6),
    ]  # fmt: skip
    assert line.noted[0].seconds < line.noted[1].seconds
    assert "<Admission 0 " in repr(line.admission)
    assert door.call.unanswered == 0


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    """And has sent nothing."""
    line = Line(door := Echo())
    line.greet()
    stream = line.head("/a.Service/Method")
    line.data(stream, b"asked", last=False)
    line.send(http2.number(http2.RST_STREAM, stream, http2.CANCEL))
    door.messages[0].answer((b"late",))
    assert [(*one[1:3], one.sent) for one in line.noted] == [("CANCELLED", "cancelled", 0)]
