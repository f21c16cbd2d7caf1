"""Copies of what was fetched, shared by the workers of a machine.

    <cache>/<address>/<listing>-<bytes>/   a complete copy; whoever uses it holds it, and nobody evicts it meanwhile
    <cache>/<address>/                     held by whoever fetches from this address
    <cache>/.temporary/<name>-<bytes>/     held by whoever fills it; what nobody holds was left by a crash and goes
    <cache>/                               held for a moment by whoever makes room

They stay within a bound: those that were used longest ago go first. A copy is filled under a temporary name, whose
bytes count already, and renamed once it is complete.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from scurry.sources.locks import ALONE, SHARED, alone, hold, share
from scurry.wire.errors import Failed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY: Final = ".temporary"
_ADDRESS: Final = re.compile("[0-9a-f]{32}")
_COPY: Final = re.compile("[0-9a-f]{32}-[0-9]+")
"""What is called otherwise is somebody else's, and is not touched."""
POLL_SECONDS: Final = 0.1
MIB: Final = 2**20


class Copy:
    """A complete copy. It stays where it is as long as this object lives."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.release = weakref.finalize(self, os.close, handle)

    def __repr__(self) -> str:
        return f"<Copy {self.path.parent.name}/{self.path.name}>"


class Room(NamedTuple):
    """A directory to fill, and the lock on it."""

    path: Path
    handle: int


class _Found(NamedTuple):
    used: int
    path: Path


class Cache:
    """A directory of copies of at most so many bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._temporary = folder / TEMPORARY

    def copies(self, address: str) -> Iterator[Copy]:
        """Those of an address, the one used last first; each held, and now used."""
        here = self._folder / address
        for found in sorted(_scan(here), reverse=True):
            if copy := self._take(found.path):
                yield copy

    def find(self, address: str, listing: str) -> Copy | None:
        """The copy of what was listed so."""
        for found in _scan(self._folder / address):
            if found.path.name.partition("-")[0] == listing:
                return self._take(found.path)
        return None

    @contextmanager
    def fetching(self, address: str, seconds: float) -> Iterator[None]:
        """Be the only one who fetches from an address. Raises `unavailable` when another takes longer than that."""
        self._open()
        end, here = time.monotonic() + seconds, self._folder / address
        while True:
            here.mkdir(exist_ok=True)
            if (handle := hold(here, ALONE)) is not None:
                break
            if time.monotonic() > end:
                raise Unavailable("unavailable", "Another worker is still fetching this model.")
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            with suppress(OSError):  # there are copies, as there should be
                here.rmdir()
            os.close(handle)

    def reserve(self, needed: int) -> Room:
        """A directory for so many bytes, others making room. Raises `load_failed` when those in use leave none."""
        with alone(self._folder):
            going = [*self._abandoned(), *self._evicted(needed)]
            path = self._temporary / f"{uuid.uuid4().hex}-{needed}"
            path.mkdir()
            handle = hold(path, ALONE)
            assert handle is not None, "it was made a moment ago, and whoever looks for such waits for us"
        for each in going:
            shutil.rmtree(each, ignore_errors=True)
        return Room(path, handle)

    def keep(self, room: Room, address: str, listing: str) -> Copy:
        """Put a complete copy in its place."""
        target = self._folder / address / f"{listing}-{room.path.name.rpartition('-')[2]}"
        with alone(self._folder):  # nobody looks for what nobody holds while the lock changes
            share(room.handle)
            room.path.rename(target)
        return Copy(target, room.handle)

    def drop(self, room: Room) -> None:
        """Give up what could not be completed."""
        shutil.rmtree(room.path, ignore_errors=True)
        os.close(room.handle)

    @property
    def bytes(self) -> int:
        """What all copies take, those that are being filled among them."""
        return sum(_size(found.path) for found in self._all()) + sum(map(_size, self._temporary.glob("*-*")))

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if {self._folder.stat().st_uid, self._folder.lstat().st_uid} != {os.geteuid()}:
            raise Failed("load_failed", f"{self._folder} belongs to another user: choose another (SCURRY_CACHE).")
        self._temporary.mkdir(exist_ok=True)

    def _take(self, path: Path) -> Copy | None:
        handle = hold(path, SHARED, wait=True)
        if handle is None:
            return None
        os.utime(path)
        return Copy(path, handle)

    def _all(self) -> list[_Found]:
        if not self._folder.is_dir():
            return []
        return [found for here in self._folder.iterdir() if _ADDRESS.fullmatch(here.name) for found in _scan(here)]

    def _abandoned(self) -> list[Path]:
        """What a crash left: to be removed."""
        left = []
        for path in self._temporary.iterdir():
            if _COPY.fullmatch(path.name) and (handle := hold(path, ALONE)) is not None:
                os.close(handle)
                left.append(self._rename(path))
        return left

    def _evicted(self, needed: int) -> list[Path]:
        """Copies that had to make room: to be removed."""
        free, gone = self._limit - self.bytes, []
        for found in sorted(self._all()):
            if free >= needed:
                break
            if (handle := hold(found.path, ALONE)) is not None:
                free += _size(found.path)
                gone.append(self._rename(found.path))
                os.close(handle)
                _remove_if_empty(found.path.parent)
        if free < needed:
            sentence = f"The cache has no room for {needed / MIB:.1f} MiB beside what is in use: it may hold {{}} MiB"
            raise Failed("load_failed", f"{sentence.format(f'{self._limit / MIB:.0f}')} (SCURRY_CACHE_MB).")
        return gone

    def _rename(self, path: Path) -> Path:
        """To a name whose bytes do not count any more."""
        return path.rename(self._temporary / f"{uuid.uuid4().hex}-0")

    def __repr__(self) -> str:
        return f"<Cache {self._folder}, {self._limit // MIB} MiB>"


def _scan(here: Path) -> list[_Found]:
    """The copies of an address, by when they were used."""
    try:
        with os.scandir(here) as entries:
            named = [entry for entry in entries if _COPY.fullmatch(entry.name)]
            return [_Found(entry.stat().st_mtime_ns, here / entry.name) for entry in named]
    except (FileNotFoundError, NotADirectoryError):
        return []  # gone, or going


def _size(path: Path) -> int:
    size = path.name.rpartition("-")[2]
    return int(size) if size.isdecimal() else 0


def _remove_if_empty(here: Path) -> None:
    handle = hold(here, ALONE)
    if handle is None:
        return  # somebody fetches into it
    with suppress(OSError):
        here.rmdir()
    os.close(handle)
