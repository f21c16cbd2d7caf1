"""Large tensors left for workers on the same machine.

They are files in shared memory, in place of strings in Redis.

    FOLDER/machine            a token: who finds here what Redis says of this folder is on its machine
    FOLDER/CLIENT/PAYLOAD     one payload: the random part of the ids that its caller makes, a digest of its Redis key

A payload is its caller's: he writes it before the request leaves, and removes it when he has the answer or waits no
more. His directory is locked as long as his process lives, so that what a killed one left can be told and removed.
Nothing but the machine's end takes a payload from a caller who waits, and that ends him as well.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import re
import secrets
import shutil
import time
from hashlib import blake2b
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows, where there is no such folder either
    fcntl = None  # type: ignore[assignment]

MACHINE: Final = "machine"
TRIES: Final = 20
TRY_S: Final = 0.01
"""So often, and so far apart, a directory is tried that somebody sweeps just now."""
MOST_BYTES: Final = 8 << 20
"""A larger payload goes to Redis, piece by piece: writing it at once would keep the event loop for milliseconds."""

_MADE: Final = re.compile(r"(?:.*[:-])?([0-9a-f]{12})-[0-9a-f]+:in:[^:]+", re.DOTALL)
"""A key below an id that a client made: `client/session.py` has the form."""


class SharedFolder:
    """The folder as long as workers read there. `token` tells it from folders of its name on other machines.

    What living clients have there stays theirs when it is closed, and the token with it: they may wait for an answer
    still, from workers that come back.
    """

    def __init__(self, folder: Path) -> None:
        """Make it, or take it over. Raises `OSError`."""
        self._folder, self._lock = folder, _made(folder)
        _refuse_strangers(folder)
        machine = folder / MACHINE
        if not machine.is_file():
            new = folder / f".{MACHINE}"
            new.write_text(secrets.token_hex(16))
            new.replace(machine)
        sweep(folder)
        self.token = machine.read_text()

    def close(self) -> None:
        """Remove all but what living clients have."""
        _clear(self._folder)
        os.close(self._lock)

    def __repr__(self) -> str:
        return f"<SharedFolder {self._folder}>"


def clear_deserted(memory: Path, pattern: str) -> None:
    """Remove folders whose workers have ended, but for what living clients have there."""
    for folder in memory.glob(pattern):
        if (lock := _lock(folder)) is not None:
            _clear(folder)
            os.close(lock)


def _clear(folder: Path) -> None:
    with contextlib.suppress(OSError):
        sweep(folder)
        if [each.name for each in folder.iterdir()] == [MACHINE]:
            (folder / MACHINE).unlink()
            folder.rmdir()


def sweep(folder: Path) -> None:
    """Remove what clients left that have ended."""
    for place in folder.iterdir():
        if place.is_dir() and (lock := _lock(place)) is not None:
            shutil.rmtree(place, ignore_errors=True)
            os.close(lock)


def found(told: bytes) -> Path | None:
    """The folder that Redis tells of, if it is this machine's and this user's: `FOLDER token`."""
    name, _, token = os.fsdecode(told).rpartition(" ")
    folder = Path(name)
    try:
        _refuse_strangers(folder)
        return folder if token and (folder / MACHINE).read_text() == token else None
    except (OSError, ValueError):  # not here, or no name of a folder
        return None


class SharedPayloads:
    """What a worker reads."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, key: str) -> memoryview | None:
        """The payload of a key, without a copy; None when it is not here. A view outlives the file.

        Raises `OSError` when it may be here and cannot be read just now: that is not to be taken for its absence.
        """
        name = _name(key)
        if name is None:
            return None
        try:
            file = os.open(f"{self._folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            return memoryview(mmap.mmap(file, 0, prot=mmap.PROT_READ))
        except ValueError:  # empty, which no payload is: whoever wrote it was stopped
            return None
        finally:
            os.close(file)

    def __repr__(self) -> str:
        return f"<SharedPayloads in {self._folder}>"


class OwnPayloads:
    """What one client has there. `client` is the random part of the ids that it makes."""

    def __init__(self, folder: Path, client: str) -> None:
        """Lock a directory of this client's own. Raises `OSError`."""
        sweep(folder)
        self._folder, self._place = folder, folder / client
        self._lock = _made(self._place)

    def put(self, key: str, data: bytes | memoryview) -> bool:
        """Write a payload; False when it is none that is shared, or cannot be just now: no memory, too many files.

        Raises `FileNotFoundError` when the folder is gone, and with it all that was left there.
        """
        name = _name(key) if 0 < len(data) <= MOST_BYTES else None
        if name is None or not name.startswith(self._place.name):
            return False
        path = f"{self._folder}/{name}"
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            raise
        except OSError:
            return False
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(file, left) :]
        except OSError:
            os.unlink(path)  # noqa: PTH108 - a path object for each payload would cost more than this
            return False
        finally:
            os.close(file)
        return True

    def remove(self, key: str) -> None:
        """Remove a payload."""
        with contextlib.suppress(OSError):
            os.unlink(f"{self._folder}/{_name(key)}")  # noqa: PTH108

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._place, ignore_errors=True)
        os.close(self._lock)

    def __repr__(self) -> str:
        return f"<OwnPayloads in {self._place}>"


def _name(key: str) -> str | None:
    """Where below the folder a key's payload lies; None for a key that no client made for a caller of its own."""
    made = _MADE.fullmatch(key)
    return f"{made[1]}/{blake2b(key.encode(), digest_size=16).hexdigest()}" if made else None


def _made(place: Path) -> int:
    """A directory, locked; another's sweep may have taken it before it was. Raises `OSError`."""
    for _ in range(TRIES):
        place.mkdir(mode=0o700, exist_ok=True)
        lock = _lock(place)
        if lock is not None and place.is_dir():
            return lock
        time.sleep(TRY_S)
    raise BlockingIOError(errno.EAGAIN, f"{place} is another's")


def _lock(place: Path) -> int | None:
    """The lock of a directory whose process has ended; None while it lives, or when the directory is gone."""
    try:
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _refuse_strangers(folder: Path) -> None:
    """Raise `PermissionError` for a folder of another user's, or one that others may write to."""
    status = folder.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} is not this user's alone.")
