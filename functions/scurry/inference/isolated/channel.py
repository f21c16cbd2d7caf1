"""Messages between a worker and the process of a model.

JSON with arrays beside it:

    head       u32 length of the JSON, u64 bytes of the arrays, u8 flags
    JSON       an object; `tensors` are data type, shape and bytes of each array
    arrays     each at a multiple of 64 bytes, here or in memory that both ends have

Large arrays are copied into that memory once, and read where they lie. Messages alternate: each says whether what came
before is still referred to. What one side sends is never trusted to be a message: it may be the last of a process that
is falling apart.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from scurry.inference.isolated.memory import Incoming, Outgoing, padded
from scurry.wire.tensors import DTYPES, Array, datatype_of, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.inference.isolated.memory import Data

HEAD: Final = struct.Struct(">IQB")
SHARED_BYTES: Final = 16 * 1024
"""Arrays of more bytes than this go through memory; fewer are quicker in the message itself."""
SHARED, ANEW, KEPT = 1, 2, 4
"""The arrays lie in memory · which comes along · what the other end sent before is to stay as it is."""
STALL_SECONDS: Final = 10.0
"""A message that began goes on within this: who gave it up earlier would take the rest of it for the next one."""
MOST_JSON: Final = 64 << 20
MEMORY: Final = hasattr(os, "memfd_create")
"""Whether there are anonymous files in memory; without them all goes through the socket."""


class Unreadable(Exception):
    """What came is no message."""


class Channel:
    """One end of it. Both directions block; `limit` is in seconds, None: for ever."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._outgoing, self._incoming = Outgoing(), Incoming()
        self._kept = False  # the other end refers to what it was sent last

    def send(self, header: Mapping[str, Any], arrays: Sequence[Array] = (), limit: float | None = None) -> None:
        """Send a message. Raises `OSError` when the other end is gone, `TimeoutError` when it does not read."""
        pieces = [_piece(array) for array in arrays]
        tensors = [(datatype, shape, memoryview(data).nbytes) for datatype, shape, data in pieces]
        text, parts = orjson.dumps({**header, "tensors": tensors}), [data for *_, data in pieces]
        size = sum(padded(length) for *_, length in tensors)
        flags = KEPT if self._incoming.is_kept() else 0
        self._socket.settimeout(limit)
        if size <= SHARED_BYTES or not MEMORY:
            head = HEAD.pack(len(text), size, flags) + text
            self._socket.sendall(b"".join((head, *(part for data in parts for part in _aligned(data)))))
            return
        file = self._outgoing.put(parts, size, kept=self._kept)
        try:
            head = HEAD.pack(len(text), size, flags | SHARED | (ANEW if file >= 0 else 0)) + text
            sent = socket.send_fds(self._socket, [head], [file]) if file >= 0 else 0
        finally:
            if file >= 0:
                os.close(file)
        self._socket.sendall(memoryview(head)[sent:])
        self._kept = False

    def receive(self, limit: float | None = None) -> tuple[dict[str, Any], list[Array]]:
        """The next message, if it begins within the limit.

        Raises `EOFError` when the other end is gone, `TimeoutError` when it is silent, `Unreadable`.
        """
        self._socket.settimeout(None if limit is None else max(0.001, limit))  # 0: it would not block at all
        first, files, *_ = socket.recv_fds(self._socket, HEAD.size, 1)
        self._socket.settimeout(None if limit is None else STALL_SECONDS)
        try:
            if not first:
                raise EOFError
            head = bytearray(first + bytes(HEAD.size - len(first)))
            self._fill(memoryview(head)[len(first) :])
            length, size, flags = HEAD.unpack(head)
            too_large = MEMORY and size > SHARED_BYTES and not flags & SHARED
            if length > MOST_JSON or bool(flags & ANEW) != bool(files) or too_large:
                raise Unreadable("its head makes no sense")
            text = bytearray(length)
            self._fill(memoryview(text))
            self._kept = bool(flags & KEPT)
            return _read(text, self._arrays(files, size, flags))
        finally:
            for file in files:
                os.close(file)

    def _arrays(self, files: Sequence[int], size: int, flags: int) -> memoryview:
        if flags & SHARED:
            try:
                return self._incoming.take(files[0] if files else -1, size)
            except (OSError, ValueError) as cause:
                raise Unreadable(str(cause)) from None
        data = memoryview(bytearray(size))
        self._fill(data)
        return data

    def _fill(self, room: memoryview) -> None:
        while room:
            try:
                count = self._socket.recv_into(room)
            except TimeoutError:
                raise Unreadable("it does not end") from None
            if not count:
                raise EOFError
            room = room[count:]

    def close(self) -> None:
        """Let the other end know."""
        self._socket.close()

    def __repr__(self) -> str:
        return f"<Channel {self._socket.fileno()}>"


def _piece(array: Array) -> tuple[str, tuple[int, ...], Data]:
    """Data type, shape and bytes; without a copy where they lie in order."""
    datatype = datatype_of(array.dtype)
    if datatype == "BYTES":
        return datatype, array.shape, to_bytes(array, datatype)
    return datatype, array.shape, np.ascontiguousarray(array, DTYPES[datatype]).reshape(-1).view(np.uint8).data


def _aligned(data: Data) -> tuple[Data, bytes]:
    size = memoryview(data).nbytes
    return data, bytes(padded(size) - size)


def _read(text: bytearray, view: memoryview) -> tuple[dict[str, Any], list[Array]]:
    try:
        header: dict[str, Any] = orjson.loads(text)
        at, arrays = 0, []
        for datatype, shape, size in header.pop("tensors"):
            arrays.append(from_bytes("", datatype, tuple(shape), view[at : at + size]))
            at += padded(size)
    except Exception as cause:
        raise Unreadable(f"it is no message ({cause})") from None
    return header, arrays
