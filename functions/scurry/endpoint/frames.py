"""Frames: many calls in one body, answers as they come.

request    u32 length | ToFunction …                       (big-endian, back to back, numbered from 0)
response   u32 length | u32 index | u8 kind | payload …    (length counts the payload only)
"""

from __future__ import annotations

import struct
from typing import Final

CONTENT_TYPE: Final = "application/vnd.scurry.calls"

ANSWER: Final = 0
"""The payload is a FromFunction."""
HEARTBEAT: Final = 1
"""Something is still being computed."""
FAILED: Final = 2
"""This call failed; the payload is a sentence."""
DRAINING: Final = 3
"""Refused unread: send the call to another process."""

MAX_CALLS: Final = 65_536
"""Calls in one body; the job sends 1,024 at most."""
MAX_BODY: Final = 256 << 20
"""Bytes of one body; the job sends 4 MiB, or a single call that is larger."""

NO_CALL: Final = 0xFFFFFFFF

_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">IIB")


class BadFrames(ValueError):
    """The body is not a whole number of frames."""


def split(body: bytes | memoryview) -> list[memoryview]:
    """The calls of one request body, uncopied. Raises `BadFrames`."""
    calls: list[memoryview] = []
    view, at, end = memoryview(body), 0, len(body)
    length_at = _LENGTH.unpack_from
    while at < end:
        if len(calls) == MAX_CALLS:
            raise BadFrames(f"There are more than {MAX_CALLS} calls.")
        if at + 4 > end:
            raise BadFrames(f"{end - at} bytes are left after call {len(calls) - 1}: too few for a length.")
        stop = at + 4 + length_at(body, at)[0]
        if stop > end:
            raise BadFrames(f"Call {len(calls)} says {stop - at - 4} bytes, but {end - at - 4} are left.")
        calls.append(view[at + 4 : stop])
        at = stop
    return calls


def join(calls: list[bytes]) -> bytes:
    """A request body; the reverse of `split`."""
    return b"".join(part for call in calls for part in (_LENGTH.pack(len(call)), call))


def frame(index: int, kind: int, payload: bytes) -> bytes:
    """One frame of a response."""
    return _HEAD.pack(len(payload), index, kind) + payload


BEAT: Final = frame(NO_CALL, HEARTBEAT, b"")


def read(body: bytes) -> list[tuple[int, int, bytes]]:
    """The whole frames of a response as (index, kind, payload); what is cut off at the end is left out."""
    frames, at = [], 0
    while at + _HEAD.size <= len(body):
        length, index, kind = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if at + length > len(body):
            break
        frames.append((index, kind, body[at : at + length]))
        at += length
    return frames
