"""Brings a version's files here, once for a machine, and whole.

Whoever fetches lists what is there, copies it under a temporary name, lists it again and takes it only if nothing
changed meanwhile and the checksums that lie beside it hold. What fails on the way is tried again a few times; what is
refused or is not there is not.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from scurry.sources.allowed import HTTP, Allowed
from scurry.sources.progress import Progress
from scurry.sources.remote import Store
from scurry.wire.errors import Failed, ScurryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scurry.sources.allowed import Address
    from scurry.sources.cache import Cache, Copy, Room
    from scurry.sources.listing import Item, Listing
    from scurry.sources.remote import Remote

log = logging.getLogger(__name__)

SECONDS: Final = 540.0
"""How long a version may take to fetch, all tries together: less than the registry waits for it, to tell it why."""
TOGETHER: Final = 8
"""Files of a version that are copied at a time."""
TRIES: Final = 4
PAUSE_SECONDS: Final = 0.5
"""Before the second try; twice as long before each further one."""
MANIFEST: Final = "copied.json"
"""What was listed, beside the files of a copy."""
FILES: Final = "files"
RETRIED: Final = frozenset({408, 425, 429})
"""Statuses below 500 after which it may be otherwise."""


class Changing(OSError):
    """What lies at the source was changed while it was copied, or not all of it came."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A version's files on this machine: the model's own path, the directory of all, and what keeps them there."""

    path: Path
    folder: Path
    copy: Copy


class Sources:
    """Where this process may fetch models from, and the copies that it has."""

    def __init__(
        self,
        allowed: Allowed,
        cache: Cache,
        verify: Callable[[Path], None] = lambda _: None,
        *,
        connect: Callable[[str, Allowed], Remote] | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """`verify` looks at a directory that was copied and raises when its checksums do not hold."""
        self._allowed, self._cache, self._verify = allowed, cache, verify
        self._closed = Event()
        self._connect, self._sleep = connect or remote, sleep or self._closed.wait
        self._remotes: dict[str, Remote] = {}
        self.fetches = self.bytes = 0

    def kept(self, uri: str, model: str, version: str) -> Iterator[Fetched]:
        """Copies of a version's files, as they were at one time or another, the last used first."""
        for copy in self._cache.copies(_name(self._allowed.check(uri), model, version)):
            if (fetched := _opened(copy)) is not None:
                yield fetched

    def fetch(self, uri: str, model: str, version: str) -> Fetched:
        """A version's files as they are at the source now. Raises `not_allowed` or `load_failed`."""
        place = self._allowed.check(uri)
        end, pause = time.monotonic() + SECONDS, PAUSE_SECONDS
        for attempt in range(1, TRIES + 1):
            try:
                return self._try(place, model, version, end - time.monotonic())
            except ScurryError:
                raise
            except Exception as cause:
                sentence = f"{place} cannot be fetched: {_sentence(cause)}."
                if self._closed.is_set() or _is_final(cause) or attempt == TRIES or time.monotonic() + pause > end:
                    raise Failed("load_failed", sentence) from cause
                log.warning("%s It is tried again in %g s.", sentence, pause)
                self._sleep(pause)
                pause *= 2
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Let what is being fetched end soon, without success."""
        self._closed.set()

    def _try(self, place: Address, model: str, version: str, seconds: float) -> Fetched:
        name = _name(place, model, version)
        with self._cache.fetching(name, seconds):
            source = self._remote(place.scheme)
            listed = source.list(place, model, version)
            key = listed.digest if listed.marked else uuid.uuid4().hex  # what would not show a change is fetched anew
            while (copy := self._cache.find(name, key)) is not None:
                if (fetched := _opened(copy)) is not None:
                    return fetched
                key = hashlib.sha256(key.encode()).hexdigest()[:32]  # it is damaged: whoever uses it keeps it
            started = time.monotonic()
            room = self._cache.reserve(listed.bytes)
            try:
                progress = Progress(str(place), listed.bytes, seconds, leaving=self._closed.is_set)
                _copy(source, listed, room.path / FILES, progress)
                if source.list(place, model, version) != listed:
                    raise Changing("it was changed while it was copied")
                self._complete(room, place, listed)
                fetched = _fetched(self._cache.keep(room, name, key), listed.start)
            except BaseException:
                self._cache.drop(room)
                raise
        self.fetches, self.bytes = self.fetches + 1, self.bytes + listed.bytes
        log.info("fetched %s: %d files, %d bytes in %.2f s", place, len(listed.items), listed.bytes,
                 time.monotonic() - started)  # fmt: skip
        return fetched

    def _complete(self, room: Room, place: Address, listed: Listing) -> None:
        """Hold the copy against its checksums and write down what it is of."""
        for folder in sorted({(room.path / FILES / item.name).parent for item in listed.items}):
            self._verify(folder)
        (room.path / MANIFEST).write_text(json.dumps({"uri": str(place), **asdict(listed)}))

    def _remote(self, scheme: str) -> Remote:
        if scheme not in self._remotes:
            self._remotes[scheme] = self._connect(scheme, self._allowed)
        return self._remotes[scheme]

    def __repr__(self) -> str:
        return f"<Sources {self._allowed!r}, {self.fetches} fetches of {self.bytes:,} bytes>"


def remote(scheme: str, allowed: Allowed) -> Remote:
    """What speaks to a kind of source. Raises `load_failed` when its library is missing."""
    if scheme not in HTTP:
        return Store(scheme, allowed)
    from scurry.sources.http import Web  # noqa: PLC0415 - a child process that fetches nothing starts sooner

    return Web(scheme, allowed)


def _name(place: Address, model: str, version: str) -> str:
    """What the copies of a version are kept under."""
    return hashlib.sha256("\0".join((str(place), model, version)).encode()).hexdigest()[:32]


def _copy(source: Remote, listed: Listing, folder: Path, progress: Progress) -> None:
    """All files of a listing, several at a time; the first failure ends it."""

    def copy(item: Item) -> None:
        target = folder / item.name
        target.parent.mkdir(parents=True, exist_ok=True)
        source.get(item, target, progress)
        _settle(target, item)

    with ThreadPoolExecutor(TOGETHER, "fetch") as pool:
        try:
            deque(pool.map(copy, listed.items), maxlen=0)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _settle(target: Path, item: Item) -> None:
    """Hold a file against what was listed, and see it on the disk."""
    if not target.is_file() or target.stat().st_size != item.size:
        came = target.stat().st_size if target.is_file() else 0
        raise Changing(f"{came:,} bytes of {item.name} came, {item.size:,} were listed")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _opened(copy: Copy) -> Fetched | None:
    """A copy as it is used; None when it is not what it was."""
    try:
        manifest: dict[str, Any] = json.loads((copy.path / MANIFEST).read_bytes())
        sizes = {item["name"]: item["size"] for item in manifest["items"]}
        if all((copy.path / FILES / name).stat().st_size == size for name, size in sizes.items()):
            return _fetched(copy, manifest["start"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    log.warning("%r is damaged: it is not used", copy)
    return None


def _fetched(copy: Copy, start: str) -> Fetched:
    return Fetched(copy.path / FILES / start, copy.path / FILES, copy)


def _is_final(cause: Exception) -> bool:
    """Whether the next try would end the same."""
    status = getattr(cause, "status", 0)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in RETRIED
    return refused or isinstance(cause, FileNotFoundError | PermissionError | TypeError | ValueError)


def _sentence(cause: Exception) -> str:
    text = " ".join(str(cause).split()).rstrip(".") or type(cause).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"
