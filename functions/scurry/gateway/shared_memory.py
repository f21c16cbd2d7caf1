"""System shared memory: tensors lie where callers put them.

A region is a piece of a POSIX shared memory object, which Linux shows as a file in /dev/shm: callers register it by the
object's key and name it in requests. It is read and written as a file is: mapped, an object that its owner shortens
would end this process at the next touch. Gateways that share a port keep what is registered in a folder that all of
them read (`region_notes.py`), since the kernel chooses which of them gets a connection. Whoever reaches the gateway may
have it read and write objects that belong to its user: so this is for those on the same machine, until a setting says
otherwise.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import RLock
from typing import Any, Final, NamedTuple, Protocol

from scurry.wire.errors import InvalidRequest

SHM: Final = Path("/dev/shm")
"""Where Linux shows the objects."""
KEY: Final = re.compile(r"/?[^/\0]{1,255}")
NAME: Final = re.compile(r"[^/\0]{1,255}")
MOST: Final = 4096
"""Regions at a time."""
CUDA: Final = "CUDA shared memory is not supported here: use system shared memory, or send the tensors."
"""What callers are told who ask for it."""


class Region(NamedTuple):
    """A piece of an object; `file` tells the object that it was from another of the same key."""

    name: str
    key: str
    offset: int
    byte_size: int
    file: int  # inode

    def told(self) -> dict[str, Any]:
        """As Triton's status tells it."""
        return {"name": self.name, "key": self.key, "offset": self.offset, "byte_size": self.byte_size}


class Notes(Protocol):
    """Where it is kept what is registered."""

    def put(self, region: Region) -> bool:
        """Keep a region; False when there is one of its name."""
        ...

    def get(self, name: str) -> Region | None:
        """The region of a name."""
        ...

    def drop(self, name: str) -> None:
        """Forget a region, if there is one."""
        ...

    def names(self) -> list[str]:
        """The names of all regions, in their order."""
        ...


class SharedMemory:
    """The regions, and reading and writing them. `allowed`: callers may register some."""

    def __init__(self, notes: Notes, *, allowed: bool, folder: Path = SHM) -> None:
        self._notes, self._allowed, self._folder = notes, allowed, folder
        self._open: dict[str, tuple[Region, int]] = {}
        self._lock = RLock()

    def register(self, name: str, key: str, offset: int, byte_size: int) -> None:
        """Make an object's bytes known by a name. Raises `InvalidRequest`."""
        self._check_allowed()
        if not NAME.fullmatch(name):
            raise _bad(f"failed to register shared memory region '{name[:64]}': it needs a name without '/'")
        if not KEY.fullmatch(key) or key.lstrip("/") in ("", ".", ".."):
            raise _bad(f"failed to register shared memory region '{name}': {key[:64]!r} is no key of shared memory")
        if offset < 0 or byte_size <= 0:
            raise _bad(f"failed to register shared memory region '{name}': offset from 0, byte_size from 1")
        if len(self._notes.names()) >= MOST:
            raise _bad(f"failed to register shared memory region '{name}': {MOST} are the limit, unregister some")
        fd, found = _opened(self._folder, key)
        region = Region(name, key, offset, byte_size, found.st_ino)
        if offset + byte_size > found.st_size:
            os.close(fd)
            sentence = f"the object {key[:64]!r} has {found.st_size} bytes, not {offset} + {byte_size}"
            raise _bad(f"failed to register shared memory region '{name}': {sentence}")
        if not self._notes.put(region):
            os.close(fd)
            raise _bad(f"shared memory region '{name}' already in manager")
        self._keep(region, fd)

    def unregister(self, name: str) -> None:
        """Forget a region; one that is not known is no mistake."""
        self._notes.drop(name)
        self._close(name)

    def unregister_all(self) -> None:
        """Forget all of them."""
        for name in self._notes.names():
            self._notes.drop(name)
        self.close()

    def status(self, name: str = "") -> list[dict[str, Any]]:
        """The regions, or one of them. Raises `InvalidRequest` for one that is not known."""
        if name:
            return [self._region(name).told()]
        found = (self._notes.get(each) for each in self._notes.names())
        return [region.told() for region in found if region is not None]

    def read(self, name: str, offset: int, byte_size: int) -> memoryview:
        """Bytes of a region, as they are now. Raises `InvalidRequest`."""
        region = self._within(name, offset, byte_size)
        with self._file(region) as fd:
            data = os.pread(fd, byte_size, region.offset + offset)
        if len(data) < byte_size:
            raise _bad(f"Unable to read shared memory region: '{name}': its object became shorter")
        return memoryview(data)

    def write(self, name: str, offset: int, data: bytes | memoryview) -> None:
        """Put bytes into a region. Raises `InvalidRequest`, and writes nothing then."""
        region = self._within(name, offset, len(data))
        with self._file(region) as fd:
            os.pwrite(fd, data, region.offset + offset)

    def close(self) -> None:
        """Let go of all objects; what is registered stays so."""
        for name in tuple(self._open):
            self._close(name)

    def _within(self, name: str, offset: int, byte_size: int) -> Region:
        region = self._region(name)
        if offset < 0 or byte_size < 0 or offset + byte_size > region.byte_size:
            sentence = f"it has {region.byte_size} bytes, not {offset} + {byte_size}"
            raise _bad(f"Invalid offset + byte size for shared memory region: '{name}': {sentence}")
        return region

    def _region(self, name: str) -> Region:
        if not NAME.fullmatch(name) or (region := self._notes.get(name)) is None:
            self._close(name)
            raise _bad(f"Unable to find shared memory region: '{name[:64]}'")
        return region

    @contextlib.contextmanager
    def _file(self, region: Region) -> Iterator[int]:
        """The open object of a region, for one reading or writing, which may be another thread's."""
        with self._lock:
            fd = os.dup(self._fd(region))
        try:
            yield fd
        finally:
            os.close(fd)

    def _fd(self, region: Region) -> int:
        """Who registered it has it open, whatever became of its name since."""
        if (known := self._open.get(region.name)) is not None and known[0] == region:
            return known[1]
        fd, found = _opened(self._folder, region.key)
        if found.st_ino != region.file:
            os.close(fd)
            sentence = f"the object {region.key[:64]!r} is another than when it was registered: register it again"
            raise _bad(f"Unable to open shared memory region: '{region.name}': {sentence}")
        self._keep(region, fd)
        return fd

    def _keep(self, region: Region, fd: int) -> None:
        self._close(region.name)
        self._open[region.name] = (region, fd)

    def _close(self, name: str) -> None:
        with self._lock:
            known = self._open.pop(name, None)
        if known is not None:
            os.close(known[1])

    def _check_allowed(self) -> None:
        if not self._allowed:
            sentence = "Shared memory is for callers on this machine, and others reach this gateway"
            raise InvalidRequest("not_allowed", f"{sentence}: SCURRY_CLIENT_SHARED_MEMORY=1 allows it all the same.")

    def __repr__(self) -> str:
        return f"<SharedMemory {len(self._notes.names())} regions, {len(self._open)} open>"


def refuse_pages(headers: Mapping[str, str]) -> None:
    """A web page that somebody on this machine looks at is not on this machine. Raises `not_allowed`."""
    if "Origin" in headers:
        raise InvalidRequest("not_allowed", "Shared memory is not for web pages.")


def _opened(folder: Path, key: str) -> tuple[int, os.stat_result]:
    """The object of a key, open, and what is known of it. Raises `InvalidRequest`."""
    try:
        fd = os.open(folder / key.lstrip("/"), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as cause:
        raise _bad(f"Unable to open shared memory region: '{key[:64]}': {cause.strerror}") from None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise _bad(f"Invalid shared memory region: '{key[:64]}'")
    return fd, found


def _bad(sentence: str) -> InvalidRequest:
    return InvalidRequest("bad_request", sentence)
