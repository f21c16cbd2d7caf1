"""One gRPC call on its stream: messages in, messages out, a status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from scurry.gateway.doors.grpc_messages import Messages
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
LEFT: Final = "CANCELLED", "cancelled"
"""Status and code of what nobody waits for any more."""


class Counted(Protocol):
    """A message that is counted, and logged, when it has its answer."""

    head: GrpcHead
    received: int  # bytes of the message
    model: str  # that it concerns, and
    request: str  # its id there: for the log


class Asking(Counted, Protocol):
    """A message that wants an answer: a whole call, or one of a stream's."""

    room: Room

    def answer(self, parts: Sequence[bytes]) -> None:
        """The answer, once, unless it is refused."""
        ...

    def refuse(self, cause: ScurryError, echo: str = "") -> None:
        """Why there is none. `echo` is what the caller calls it."""
        ...


class GrpcStream(Protocol):
    """Takes the messages of a call that has more than one."""

    def message(self, data: bytes, room: Room) -> None:
        """One message has come. Never raises."""
        ...

    def end(self) -> None:
        """No other will."""
        ...

    def stop(self) -> None:
        """The caller has gone, or the gateway goes: no answer is waited for but those that are asked for already."""
        ...


class GrpcDoor(Protocol):
    """Answers calls."""

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message: `answer` or `refuse` is called once, now or later. Never raises."""
        ...

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of this call; None for a call with one."""
        ...


class _Answering:
    """What goes out of a call, until it is closed."""

    __slots__ = ("_open", "calls", "head", "model", "out", "received", "request", "room", "since", "unanswered")

    def __init__(self, calls: Http2Calls, number: int, window: int, head: GrpcHead, room: Room) -> None:
        self.calls, self.head, self.room = calls, head, room
        self.out = Outgoing(number, window)
        self._open = True
        self.received = self.unanswered = 0
        self.model = self.request = ""
        self.since = calls.now()

    @property
    def is_open(self) -> bool:
        """Whether anybody waits."""
        return self._open

    def answer(self, parts: Sequence[bytes]) -> None:
        """The one answer."""
        self.room.give_back_all()
        if self._close():
            message = _framed(parts)
            self._note("OK", "ok", len(message) - grpc_words.PREFIX)
            self.calls.sending.whole(self.out, grpc_words.BEGUN, message, grpc_words.ENDED)

    def send(self, parts: Sequence[bytes]) -> bool:
        """One of several answers; whether there is anybody to take it."""
        if self._open:
            self.calls.sending.begin(self.out, grpc_words.BEGUN)
            self.calls.sending.put(self.out, (_framed(parts),))
        return self._open

    def finish(self) -> None:
        """No other follows."""
        self.room.give_back_all()
        if self._close():
            self.calls.sending.begin(self.out, grpc_words.BEGUN)
            self.calls.sending.end(self.out, grpc_words.ENDED)

    def refuse(self, cause: ScurryError, echo: str = "") -> None:  # noqa: ARG002 - a status names no request
        """The status that tells an error."""
        self.room.give_back_all()
        if self._close():
            status = status_of(cause.code).grpc
            self._note(status, cause.code)
            words = grpc_words.trailers(status, shortened(cause.message))
            block = words if self.out.begun else grpc_words.BEGUN + words
            self.calls.sending.end(self.out, block)

    def _note(self, status: str, code: str, sent: int = 0) -> None:
        """Have it counted; it took no time before its message was whole."""
        self.calls.note(self, status, code, self.calls.now() - self.since if self.unanswered else 0.0, sent)

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        return was_open


class GrpcCall(_Answering):
    """One call. What has to be sent is sent through it; when the caller has gone, that is nothing."""

    __slots__ = ("awaits", "incoming", "stream", "taken")

    def __init__(self, calls: Http2Calls, number: int, window: int, head: GrpcHead, room: Room) -> None:
        super().__init__(calls, number, window, head, room)
        self.stream: GrpcStream | None = None
        self.incoming = Messages()
        self.awaits, self.taken = True, 0  # bytes for which the caller was given no new window yet

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

    def leave(self) -> None:
        """The caller has gone. Memory of a message that the door has is free once that is done with it."""
        self.calls.sending.forget(self.out)  # also of an answer that waits for the windows to open
        if self._close():
            if self.stream is not None or not self.unanswered:
                self.room.give_back_all()
            if self.stream is None:
                self._note(*LEFT)
            else:
                self.stream.stop()  # whose messages are counted one by one

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
        missing = size + grpc_words.PREFIX - self.incoming.heard
        if missing > 0:
            self.calls.make_room(self, missing)

    def _deliver(self) -> None:
        """Hand a message on. Raises `ScurryError`."""
        message, is_compressed = self.incoming.take()
        self.since, self.received = self.calls.now(), len(message)
        if is_compressed:
            message = grpc_words.inflated(message, self.head.encoding, self.calls.max_body_bytes)
            self.room.hold_body(len(message))
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

    def __repr__(self) -> str:
        return f"<GrpcCall {self.head.path} {'open' if self._open else 'closed'}>"


def _framed(parts: Sequence[bytes]) -> bytes:
    return b"".join((grpc_words.prefix(sum(map(len, parts))), *parts))
