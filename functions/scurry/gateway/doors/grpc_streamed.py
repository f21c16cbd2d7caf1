"""One of the many messages of a call: answered and counted by itself."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.gateway.doors.grpc_call import LEFT, GrpcCall
from scurry.gateway.limits import Room


class Streamed:
    """A message and its time, from when it was whole until its answer is sent."""

    __slots__ = ("_begun", "call", "head", "model", "received", "request", "room")

    def __init__(self, call: GrpcCall, room: Room) -> None:
        """The one that the call has just been sent."""
        self.call, self.room = call, room
        self.head, self.received, self._begun = call.head, call.received, call.since
        self.model = self.request = ""

    def answer(self, parts: Sequence[bytes]) -> None:
        """Answer it, once."""
        self.end("OK", "ok", parts)

    def end(self, status: str, code: str, parts: Sequence[bytes]) -> None:
        """Answer it so; if nobody takes that any more, it was given up."""
        self.room.give_back_all()
        sent = sum(map(len, parts))
        if not self.call.send(parts):
            (status, code), sent = LEFT, 0
        self.call.calls.note(self, status, code, self.call.calls.now() - self._begun, sent)
        self.call.answered()

    def __repr__(self) -> str:
        return f"<Streamed {self.received} bytes of {self.call!r}>"
