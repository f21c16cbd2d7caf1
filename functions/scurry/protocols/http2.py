"""Frames of HTTP/2 and the header blocks that gRPC puts into them.

Layout: RFC 9113. Pure: bytes to frames and back. Blocks of headers that are sent are written without the dynamic table,
so that each is the same bytes on every connection; those that are read may use it (`HeaderBlocks`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from hpack import Decoder
from hpack.exceptions import HPACKError

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITIZED: Final = 0x20

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 6, 7, 8, 9, 11

HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 1, 3, 4, 5, 6

WINDOW: Final = 65_535
"""What may be sent before the other side says anything, on a stream and on all of them together."""
LARGEST_WINDOW: Final = 2**31 - 1
SMALLEST_FRAME: Final = 16_384
"""What every side takes."""
LARGEST_FRAME: Final = 2**24 - 1
KNOWN: Final = 1024
"""Header blocks that are remembered."""
LONGEST: Final = 2048
"""Bytes of a header block that is worth it."""

Made = TypeVar("Made")
Headers = tuple[tuple[str, str], ...]
Frame = tuple[int, int, int, bytes]
"""Type, flags, stream, payload."""

_HEAD: Final = struct.Struct(">HBBBI")
_SETTING: Final = struct.Struct(">HI")


class Http2Error(Exception):
    """The other side broke the protocol; the connection ends with this code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Frames:
    """Cuts what arrives into frames."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now. Raises `Http2Error`."""
        if self._rest:
            data = self._rest + data
        found: list[Frame] = []
        at, end = 0, len(data)
        while end - at >= 9:
            high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
            size = high << 8 | low
            if size > self._largest:
                raise Http2Error(FRAME_SIZE_ERROR, f"A frame of {size} bytes is above the limit of {self._largest}.")
            stop = at + 9 + size
            if stop > end:
                break
            found.append((kind, flags, stream & 0x7FFFFFFF, data[at + 9 : stop]))
            at = stop
        self._rest = data[at:]
        return found

    def __repr__(self) -> str:
        return f"<Frames {len(self._rest)} bytes unread>"


class HeaderBlocks(Generic[Made]):
    """Reads header blocks; one that comes again is known by its bytes, as long as the table it points into stays.

    `make` is asked once for what the headers of a block mean.
    """

    def __init__(self, largest: int, make: Callable[[Headers], Made]) -> None:
        self._decoder = Decoder(max_header_list_size=largest)
        self._make = make
        self._known: dict[bytes, Made] = {}

    def read(self, block: bytes) -> Made:
        """What a block means. Raises `Http2Error`."""
        known = self._known.get(block)
        if known is not None:
            return known
        before = self._state()
        try:
            headers = tuple((_text(name), _text(value)) for name, value in self._decoder.decode(block, raw=True))
        except (HPACKError, UnicodeDecodeError) as cause:
            raise Http2Error(COMPRESSION_ERROR, f"A block of headers cannot be read: {cause!r}.") from None
        made = self._make(headers)
        if self._state() != before:
            self._known.clear()
        elif len(block) <= LONGEST:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[block] = made
        return made

    def _state(self) -> tuple[int, int, int]:
        """Changes whenever the dynamic table does: what is put into it becomes its first entry."""
        table = self._decoder.header_table
        entries = table.dynamic_entries
        return table.maxsize, len(entries), id(entries[0]) if entries else 0

    def __repr__(self) -> str:
        return f"<HeaderBlocks {len(self._known)} known>"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    return head(len(payload), kind, flags, stream) + payload


def head(size: int, kind: int, flags: int, stream: int) -> bytes:
    """What stands before the payload of a frame."""
    return _HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream)


def settings(values: Sequence[tuple[int, int]]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*one) for one in values))


def settings_in(payload: bytes) -> list[tuple[int, int]]:
    """What a SETTINGS frame says. Raises `Http2Error`."""
    if len(payload) % 6:
        raise Http2Error(FRAME_SIZE_ERROR, f"SETTINGS has {len(payload)} bytes, which is no multiple of 6.")
    return [(name, value) for name, value in _SETTING.iter_unpack(payload)]


def number_in(payload: bytes) -> int:
    """The 31 bits of a WINDOW_UPDATE. Raises `Http2Error`."""
    if len(payload) != 4:
        raise Http2Error(FRAME_SIZE_ERROR, f"A frame that holds one number has {len(payload)} bytes.")
    return int.from_bytes(payload, "big") & 0x7FFFFFFF


def number(kind: int, stream: int, value: int) -> bytes:
    """A frame that holds one number: RST_STREAM or WINDOW_UPDATE."""
    return frame(kind, 0, stream, value.to_bytes(4, "big"))


def goaway(last: int, code: int, why: str = "") -> bytes:
    """The frame after which no stream above `last` is answered."""
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + why.encode()[:256])


def unpadded(flags: int, payload: bytes) -> bytes:
    """The payload of DATA or HEADERS without its padding and priority. Raises `Http2Error`."""
    if flags & (PADDED | PRIORITIZED) == 0:
        return payload
    start = (1 if flags & PADDED else 0) + (5 if flags & PRIORITIZED else 0)
    stop = len(payload) - (payload[0] if flags & PADDED and payload else 0)
    if start > stop:
        raise Http2Error(PROTOCOL_ERROR, "A frame is padded with more than it holds.")
    return payload[start:stop]


def literal(name: bytes, value: bytes) -> bytes:
    """A header that changes no table."""
    return b"\x00" + _sized(name) + _sized(value)


def _sized(raw: bytes) -> bytes:
    if len(raw) < 127:
        return bytes((len(raw),)) + raw
    rest, out = len(raw) - 127, bytearray(b"\x7f")
    while rest > 127:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out) + raw


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode("latin-1")
