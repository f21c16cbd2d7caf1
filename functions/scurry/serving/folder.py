"""The data directory of one `scurry up`: its lock, addresses and logs."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any, Final

ADDRESSES: Final = "scurry.json"
PORTS: Final = "ports.json"
LOG_BYTES: Final = 16 * 1024 * 1024
SOCKET_BYTES: Final = 100
"""The longest name of a socket: 107 bytes on Linux, 103 elsewhere."""


class FolderInUse(Exception):
    """Another `scurry up` has this directory."""


class Folder:
    """A directory that one `scurry up` has to itself."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def claim(self) -> None:
        """Make the directory ours. Raises `FolderInUse` or `OSError`."""
        (self.path / "logs").mkdir(parents=True, exist_ok=True)
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise FolderInUse(f"{self.path} is in use by another `scurry up` (process {owner}).") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Give the directory back; whoever looks finds no addresses."""
        if self._lock is not None:
            (self.path / ADDRESSES).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def sub(self, name: str) -> Path:
        """A directory of a process' own."""
        path = self.path / name
        path.mkdir(exist_ok=True)
        return path

    def socket(self, process: str) -> Path | None:
        """Where a process listens beside its port; None where that is too long to be a socket's name."""
        path = self.path / f"{process}.sock"
        return path if len(os.fsencode(path)) <= SOCKET_BYTES else None

    def log(self, process: str) -> Path:
        """Where a process logs; a log that grew large is put aside first."""
        path = self.path / "logs" / f"{process}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def put_aside(self, name: str) -> Path | None:
        """Rename what is there, so that its process begins anew; None when there is nothing."""
        path = self.path / name
        if not path.exists():
            return None
        return path.rename(path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"))

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Replace a JSON file as a whole."""
        new = self.path / f".{name}.new"
        new.write_text(json.dumps(data, indent=2) + "\n")
        new.replace(self.path / name)

    def read(self, name: str) -> dict[str, Any]:
        """The JSON object in a file; empty when there is none."""
        return read_object(self.path / name)

    def __repr__(self) -> str:
        return f"<Folder {self.path} {'ours' if self._lock else 'not ours'}>"


def expanded(text: str) -> Path:
    """A path as it was typed, `~` for home; a user that is not known is left as he stands."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises then


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty when there is none."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
