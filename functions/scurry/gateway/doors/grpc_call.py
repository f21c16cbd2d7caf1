"""One gRPC call on its stream: messages in, messages out, a status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from scurry.gateway.doors.http2_sending import Outgoing
from scurry.gateway.limits import Room
from scurry.gateway.status import status_of
from scurry.protocols import grpc_words
from scurry.protocols.grpc_words import GrpcHead
from scurry.wire.errors import InvalidRequest, ScurryError
from scurry.wire.limits import shortened

if TYPE_CHECKING:
    from scurry.gateway.doors.http2_calls import Http2Calls

STREAM_WINDOW: Final = 256 * 1024
"""Bytes of a message that may come before there is memory for it."""
ROOMY: Final = 64
"""Messages of one stream that may be unanswered before the caller is held back."""


class GrpcStream(Protocol):
    """Takes the messages of a call that has more than one."""

    def message(self, data: bytes, room: Room) -> None:
        """One message has come. Never raises."""
        ...

    def end(self) -> None:
        """No other will."""
        ...


class GrpcDoor(Protocol):
    """Answers calls."""

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message: `answer` or `refuse` is called once, now or later. Never raises."""
        ...

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of this call; None for a call with one."""
        ...


class Messages:
    """The messages of a call, put together of their pieces."""

    __slots__ = ("_chunks", "_flag", "heard", "size")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._flag = 0
        self.heard = 0  # bytes that have come
        self.size = -1  # of the next message, once it is known

    def put(self, payload: bytes) -> None:
        """A piece."""
        self._chunks.append(payload)
        self.heard += len(payload)

    def measure(self) -> bool:
        """Whether the size of the next message is known now, and was not before."""
        if self.size >= 0 or self.heard < 5:
            return False
        head = self._chunks[0]
        if len(head) < 5:
            head = b"".join(self._chunks)
            self._chunks = [head]
        self._flag, self.size = head[0], int.from_bytes(head[1:5], "big")
        return True

    @property
    def is_whole(self) -> bool:
        """Whether the next message has come."""
        return self.size >= 0 and self.heard >= self.size + 5

    def take(self) -> tuple[bytes, bool]:
        """The next message, and whether it is compressed."""
        whole = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        message, rest = whole[5 : self.size + 5], whole[self.size + 5 :]
        self._chunks, self.heard, self.size = [rest] if rest else [], len(rest), -1
        return message, bool(self._flag)

    def __repr__(self) -> str:
        return f"<Messages {self.heard} bytes of {self.size}>"


class GrpcCall:
    """One call. What has to be sent is sent through it; when the caller has gone, that is nothing."""

    __slots__ = ("_open", "awaits", "calls", "head", "incoming", "out", "room", "since", "stream", "taken",
                 "unanswered")  # fmt: skip

    def __init__(self, calls: Http2Calls, number: int, window: int, head: GrpcHead, room: Room) -> None:
        self.calls, self.head, self.room = calls, head, room
        self.out = Outgoing(number, window)
        self.stream: GrpcStream | None = None
        self.incoming = Messages()
        self._open = True
        self.taken = 0  # bytes for which the caller was given no new window yet
        self.unanswered = 0
        self.awaits, self.since = True, calls.now()

    def data(self, payload: bytes, *, last: bool) -> None:
        """A piece of a message. Raises `ScurryError`."""
        self.awaits = not last
        if not self._open:
            return  # it has its answer, which still goes out
        if payload:
            self.incoming.put(payload)
            self.taken += len(payload)
        while True:
            if self.incoming.measure():
                self._admit(self.incoming.size)
            if not self.incoming.is_whole or not self._open:
                break
            self._deliver()
        if not last:
            return
        if self.incoming.heard and self._open:
            raise InvalidRequest("bad_request", "The call ends within a message.")
        if self.stream is not None:
            self.stream.end()
        elif self._open and not self.unanswered:
            raise InvalidRequest("bad_request", "The call has no message.")

    def answer(self, parts: Sequence[bytes]) -> None:
        """The one answer."""
        self.room.give_back_all()
        if self._close():
            self.calls.sending.whole(self.out, grpc_words.BEGUN, _framed(parts), grpc_words.ENDED)

    def send(self, parts: Sequence[bytes]) -> None:
        """One of several answers."""
        if self._open:
            self.calls.sending.begin(self.out, grpc_words.BEGUN)
            self.calls.sending.put(self.out, (_framed(parts),))

    def finish(self) -> None:
        """No other follows."""
        self.room.give_back_all()
        if self._close():
            self.calls.sending.begin(self.out, grpc_words.BEGUN)
            self.calls.sending.end(self.out, grpc_words.ENDED)

    def refuse(self, cause: ScurryError, *, code: str = "") -> None:
        """The status that tells an error."""
        self.room.give_back_all()
        if self._close():
            words = grpc_words.trailers(code or status_of(cause.code).grpc, shortened(cause.message))
            block = words if self.out.begun else grpc_words.BEGUN + words
            self.calls.sending.end(self.out, block)

    def leave(self) -> None:
        """The caller has gone. Memory of a message that the door has is free once that is done with it."""
        if self._close():
            self.calls.sending.forget(self.out)
            if self.stream is not None or not self.unanswered:
                self.room.give_back_all()
            if self.stream is not None:
                self.stream.end()

    def answered(self) -> None:
        """One message of a stream is answered: there is room for another."""
        self.unanswered -= 1
        if self._open and self.unanswered < ROOMY:
            self._give_room()

    def _admit(self, size: int) -> None:
        """Have memory for a message before it comes. Raises `too_large` or `overloaded`."""
        if size > self.calls.max_body_bytes:
            raise grpc_words.too_large(size, self.calls.max_body_bytes)
        self.room.hold_body(size)
        missing = size + 5 - self.incoming.heard
        if missing > 0:
            self.calls.make_room(self, missing)

    def _deliver(self) -> None:
        """Hand a message on. Raises `ScurryError`."""
        message, is_compressed = self.incoming.take()
        if is_compressed:
            message = grpc_words.inflated(message, self.head.encoding, self.calls.max_body_bytes)
            self.room.hold_body(len(message))
        self.since = self.calls.now()
        self.unanswered += 1
        if self.stream is not None:
            room, self.room = self.room, self.calls.new_room()
            self.stream.message(message, room)
            if self.unanswered < ROOMY:
                self._give_room()
        elif self.unanswered > 1:
            raise InvalidRequest("bad_request", "This method takes one message.")
        else:
            self.calls.door.begin(self, message)

    def _give_room(self) -> None:
        if self.taken > STREAM_WINDOW // 2:
            self.calls.make_room(self, 0)

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        return was_open

    def __repr__(self) -> str:
        return f"<GrpcCall {self.head.path} {'open' if self._open else 'closed'}>"


def _framed(parts: Sequence[bytes]) -> bytes:
    return b"".join((grpc_words.prefix(sum(map(len, parts))), *parts))
