"""The calls of one HTTP/2 connection: what each frame means to which."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from scurry.gateway.doors.grpc_call import STREAM_WINDOW, Counted, GrpcCall, GrpcDoor
from scurry.gateway.doors.http2_sending import Sending
from scurry.gateway.limits import Admission, Room
from scurry.protocols import http2
from scurry.protocols.grpc_words import head_of
from scurry.protocols.http2 import HeaderBlocks, Http2Error
from scurry.wire.errors import InvalidRequest, ScurryError, error

STREAMS: Final = 4096
"""Calls that one connection may have open."""
HEAD_BYTES: Final = 16 * 1024
"""Bytes of a call's metadata."""
REFILL: Final = 1 << 29
"""Bytes after which the window of all streams together is opened again."""


class Answering(Protocol):
    """Who answers the calls, within which limits."""

    door: GrpcDoor
    admission: Admission
    max_body_bytes: int

    def note(self, asked: Counted, status: str, code: str, seconds: float, sent: int) -> None:
        """A message was answered, with so many bytes, or is not any more."""
        ...


class Http2Calls:
    """Those that are open, by the numbers of their streams."""

    def __init__(self, host: Answering, sending: Sending) -> None:
        self.door, self.sending, self.max_body_bytes, self.note = host.door, sending, host.max_body_bytes, host.note
        self.now = asyncio.get_running_loop().time
        self.last = 0  # number of the newest
        self.is_leaving = False
        self._admission = host.admission
        self._open: dict[int, GrpcCall] = {}
        self._blocks = HeaderBlocks(HEAD_BYTES, head_of)
        self._taken = 0
        self._begun: tuple[int, int, bytes] | None = None  # a block of headers that goes on: stream, flags, bytes

    def headers(self, flags: int, stream: int, payload: bytes) -> None:
        """A block of headers, or its beginning. Raises `Http2Error`."""
        payload = http2.unpadded(flags, payload)
        if flags & http2.END_HEADERS:
            self._block(flags, stream, payload)
        else:
            self._begun = stream, flags, payload

    def goes_on(self, kind: int, flags: int, stream: int, payload: bytes) -> bool:
        """Whether a frame belongs to a block of headers that goes on, as it must then. Raises `Http2Error`."""
        if self._begun is None and kind != http2.CONTINUATION:
            return False
        if self._begun is None or kind != http2.CONTINUATION or stream != self._begun[0]:
            raise Http2Error(http2.PROTOCOL_ERROR, "A block of headers is not in one piece.")
        _, begun, block = self._begun
        block += payload
        if len(block) > 4 * HEAD_BYTES:
            raise Http2Error(http2.ENHANCE_YOUR_CALM, f"A block of headers is above {4 * HEAD_BYTES} bytes.")
        self._begun = stream, begun, block
        if flags & http2.END_HEADERS:
            self._begun = None
            self._block(begun, stream, block)
        return True

    def data(self, flags: int, stream: int, payload: bytes) -> None:
        """A piece of a message. Raises `Http2Error`."""
        self._taken += len(payload)
        if self._taken > REFILL:
            self.sending.write(http2.number(http2.WINDOW_UPDATE, 0, self._taken))
            self._taken = 0
        call = self._open.get(stream)
        if call is None:
            if stream > self.last:
                raise Http2Error(http2.PROTOCOL_ERROR, "There is data for a stream that was not begun.")
            return  # it has its answer already
        try:
            call.data(http2.unpadded(flags & http2.PADDED, payload), last=bool(flags & http2.END_STREAM))
        except ScurryError as cause:
            call.refuse(cause)

    def window(self, stream: int, payload: bytes) -> None:
        """The caller takes more. Raises `Http2Error`."""
        by = http2.number_in(payload)
        if stream == 0:
            self.sending.widen(by)
        elif (call := self._open.get(stream)) is not None:
            self.sending.widen_one(call.out, by)

    def windows(self, by: int) -> None:
        """The caller has set another window for every stream. Raises `Http2Error`."""
        for call in tuple(self._open.values()):
            self.sending.widen_one(call.out, by)

    def reset(self, stream: int) -> None:
        """The caller does not want the answer any more."""
        if (call := self._open.pop(stream, None)) is not None:
            call.leave()

    def ended(self, stream: int) -> None:
        """All of an answer is on its way; a caller that sends on is told that nobody listens."""
        call = self._open.pop(stream, None)
        if call is not None and call.awaits:
            self.sending.write(http2.number(http2.RST_STREAM, stream, http2.NO_ERROR))

    def make_room(self, call: GrpcCall, missing: int) -> None:
        """Let the caller send what is `missing` of a message; with 0, as much as it has sent."""
        by = max(0, missing - (STREAM_WINDOW - call.taken)) if missing else call.taken
        call.taken -= by
        if by and call.awaits:
            self.sending.write(http2.number(http2.WINDOW_UPDATE, call.out.id, by))

    def new_room(self) -> Room:
        """Memory for another message, none so far."""
        return self._admission.room()

    def each(self) -> tuple[GrpcCall, ...]:
        """Those that are open."""
        return tuple(self._open.values())

    def __len__(self) -> int:
        return len(self._open)

    def _block(self, flags: int, stream: int, block: bytes) -> None:
        """Cases: 1. a new call; 2. trailers of one that is open; 3. of one that has its answer."""
        head = self._blocks.read(block)
        if stream <= self.last:
            if stream in self._open and flags & http2.END_STREAM:
                self.data(http2.END_STREAM, stream, b"")
            return
        if stream % 2 == 0:
            raise Http2Error(http2.PROTOCOL_ERROR, "A caller's streams have odd numbers.")
        self.last = stream
        call = self._open[stream] = GrpcCall(self, stream, self.sending.initial, head, self._admission.room())
        if self.is_leaving or len(self._open) > STREAMS:
            call.refuse(error("unavailable", "The gateway takes no new calls on this connection: try again."))
        elif head.fault:
            call.refuse(InvalidRequest("bad_request", head.fault))
        else:
            call.stream = self.door.stream(call)
            if flags & http2.END_STREAM:
                self.data(http2.END_STREAM, stream, b"")

    def __repr__(self) -> str:
        return f"<Http2Calls {len(self._open)} open>"
