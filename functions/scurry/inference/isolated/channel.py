"""Messages between a worker and the process of a model.

JSON with arrays beside it:

    head       u32 length of the JSON, u64 bytes of the arrays, u8 whether these lie in memory that comes along
    JSON       an object; `tensors` are data type, shape and bytes of each array
    arrays     each at a multiple of 64 bytes, here or in the memory

Large arrays go through an anonymous file in memory of their own: they are copied into it once, and whoever gets it
reads them where they lie, for as long as something refers to them. What one side sends is never trusted to be a
message: it may be the last of a process that is falling apart.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from scurry.wire.tensors import DTYPES, Array, datatype_of, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Data = bytes | bytearray | memoryview | mmap.mmap

HEAD: Final = struct.Struct(">IQB")
ALIGNED: Final = 64
SHARED_BYTES: Final = 64 * 1024
"""Arrays of more bytes than this go through memory; fewer are quicker in the message itself."""
MOST_JSON: Final = 64 << 20
MEMORY: Final = hasattr(os, "memfd_create")
"""Whether there are anonymous files in memory; without them all goes through the socket."""


class Unreadable(Exception):
    """What came is no message."""


class Channel:
    """One end of it. Both directions block; `limit` is in seconds, None: for ever."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def send(self, header: Mapping[str, Any], arrays: Sequence[Array] = (), limit: float | None = None) -> None:
        """Send a message. Raises `OSError` when the other end is gone, `TimeoutError` when it does not read."""
        pieces = [_piece(array) for array in arrays]
        tensors = [(datatype, shape, len(data)) for datatype, shape, data in pieces]
        text = orjson.dumps({**header, "tensors": tensors})
        size = sum(_padded(len(data)) for *_, data in pieces)
        shared = size > SHARED_BYTES and MEMORY
        head = HEAD.pack(len(text), size, shared) + text
        self._socket.settimeout(limit)
        if shared:
            file = _filled([data for *_, data in pieces])
            try:
                sent = socket.send_fds(self._socket, [head], [file])
            finally:
                os.close(file)
            self._socket.sendall(memoryview(head)[sent:])
        else:
            self._socket.sendall(b"".join((head, *(part for *_, data in pieces for part in _aligned(data)))))

    def receive(self, limit: float | None = None) -> tuple[dict[str, Any], list[Array]]:
        """The next message. Raises `EOFError` when the other end is gone, `TimeoutError` and `Unreadable`."""
        end = None if limit is None else time.monotonic() + limit
        head = bytearray(HEAD.size)
        self._wait(end)
        first, files, *_ = socket.recv_fds(self._socket, HEAD.size, 1)
        file = files[0] if files else -1
        try:
            if not first:
                raise EOFError
            head[: len(first)] = first
            self._fill(memoryview(head)[len(first) :], end)
            length, size, shared = HEAD.unpack(head)
            if length > MOST_JSON or bool(shared) != (file >= 0) or (size > SHARED_BYTES and not shared and MEMORY):
                raise Unreadable("its head makes no sense")
            text = bytearray(length)
            self._fill(memoryview(text), end)
            data: Data
            if shared:
                data = _mapped(file, size)
            else:
                data = bytearray(size)
                self._fill(memoryview(data), end)
            return _read(text, data)
        finally:
            if file >= 0:
                os.close(file)

    def _fill(self, room: memoryview, end: float | None) -> None:
        while room:
            self._wait(end)
            count = self._socket.recv_into(room)
            if not count:
                raise EOFError
            room = room[count:]

    def _wait(self, end: float | None) -> None:
        """No longer than until `end`."""
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

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


def _padded(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _aligned(data: Data) -> tuple[Data, bytes]:
    size = memoryview(data).nbytes
    return data, bytes(_padded(size) - size)


def _filled(parts: Sequence[Data]) -> int:
    """A file in memory with these bytes."""
    file = os.memfd_create("scurry", os.MFD_CLOEXEC)
    try:
        at = 0
        for part in parts:
            left = memoryview(part)
            start, size = at, left.nbytes
            while left:
                count = os.pwrite(file, left, at)
                at, left = at + count, left[count:]
            at = start + _padded(size)
        os.truncate(file, at)
    except BaseException:
        os.close(file)
        raise
    return file


def _mapped(file: int, size: int) -> mmap.mmap:
    if not 0 < size == os.fstat(file).st_size:
        raise Unreadable("the memory that came along is not as large as it should be")
    return mmap.mmap(file, size, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))


def _read(text: bytearray, data: Data) -> tuple[dict[str, Any], list[Array]]:
    try:
        header: dict[str, Any] = orjson.loads(text)
        view, at, arrays = memoryview(data), 0, []
        for datatype, shape, size in header.pop("tensors"):
            arrays.append(from_bytes("", datatype, tuple(shape), view[at : at + size]))
            at += _padded(size)
    except Exception as cause:
        raise Unreadable(f"it is no message ({cause})") from None
    return header, arrays
