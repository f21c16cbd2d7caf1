"""What the files of a model hold, as a short digest.

Reading all of a large model takes seconds: a file that looks the same (inode, size, times) is read once, also under
another name.
"""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

REMEMBERED: Final = 4096
"""Files whose digest is kept."""

Look = tuple[int, int, int, int, int]

_known: dict[Look, bytes] = {}
_lock = Lock()


def fingerprint(files: Iterable[Path]) -> str:
    """A digest of names and contents; it reads files and belongs off the event loop."""
    whole = hashlib.sha256()
    for path in files:
        name = path.name.encode(errors="surrogateescape")
        whole.update(len(name).to_bytes(4, "big") + name + digest(path))
    return whole.hexdigest()[:32]


def digest(path: Path) -> bytes:
    """The SHA-256 of a file's content."""
    look = _look(path)
    with _lock:
        known = _known.get(look)
    if known is not None:
        return known
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").digest()
    with _lock:
        if len(_known) >= REMEMBERED:
            _known.clear()
        if _look(path) == look:  # else it was written to while it was read
            _known[look] = found
    return found


def _look(path: Path) -> Look:
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
