"""Bytes of one connection, cut into requests.

A request is admitted by its head, before its body is waited for.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from scurry.gateway.doors.heads import Head, Heads
from scurry.gateway.limits import Admission, Room
from scurry.wire.errors import ScurryError

_END: Final = b"\r\n\r\n"
_BARE: Final = b"\n\n"
"""How a head ends for those who take a line feed for the end of a line, which is refused rather than waited behind."""


class Unusual(Exception):
    """The next request is one for aiohttp."""


class WholeRequest(NamedTuple):
    """A request, and the room that it has until it is answered."""

    head: Head
    body: bytes
    room: Room


class Inbox:
    """What has come and is not taken."""

    __slots__ = ("_admission", "_head", "_heads", "_max_body_bytes", "_received", "_room")

    def __init__(self, heads: Heads, admission: Admission, max_body_bytes: int) -> None:
        self._heads, self._admission, self._max_body_bytes = heads, admission, max_body_bytes
        self._received = bytearray()
        self._head: Head | None = None
        self._room: Room | None = None

    @property
    def awaits(self) -> str:
        """What must come before the next request is whole: `head`, `body`, or nothing if none has begun."""
        return "body" if self._head is not None else "head" if self._received else ""

    @property
    def missing(self) -> str:
        """How much of a body has come that is not whole."""
        assert self._head is not None
        return f"{len(self._received)} of {self._head.size} bytes of its body have come (Content-Length)"

    def put(self, data: bytes) -> None:
        """More has come."""
        self._received += data

    def take(self) -> WholeRequest | None:
        """The next request if it is whole. Raises `Unusual`, with everything from there on still here.

        Raises `too_large` for a head that is.
        """
        if self._head is None and not self._read_head():
            return None
        head, room, received = self._head, self._room, self._received
        assert head is not None
        assert room is not None, "it was admitted with its head"
        if len(received) < head.size:
            return None
        body = bytes(memoryview(received)[: head.size])
        del received[: head.size]
        self._head = self._room = None
        return WholeRequest(head, body, room)

    def take_all(self) -> bytes:
        """Every byte that is here."""
        everything = bytes(self._received)
        self._received.clear()
        return everything

    def close(self) -> None:
        """Give the room back that a body had which will not come."""
        if self._room is not None:
            self._room.give_back_all()
            self._room = None

    def _read_head(self) -> bool:
        received = self._received
        end = received.find(_END) + len(_END)
        if end < len(_END):
            self._heads.check_size(len(received))
            if received and (not received[:1].isalpha() or _BARE in received):
                raise Unusual
            return False
        head = self._heads.read(bytes(memoryview(received)[:end]))
        if head is None or head.size > self._max_body_bytes:
            raise Unusual
        room = self._admission.room()
        try:
            room.hold_body(head.size)
        except ScurryError:  # aiohttp comes to the same and says so
            raise Unusual from None
        del received[:end]
        self._head, self._room = head, room
        return True

    def __len__(self) -> int:
        return len(self._received)

    def __repr__(self) -> str:
        return f"<Inbox {len(self._received)} bytes{self.awaits and ', awaits '}{self.awaits}>"
