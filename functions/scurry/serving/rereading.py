"""Files that are read again when they change: keys, certificates."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often they are looked at."""

Stamp = tuple[tuple[int, int, int], ...]


class Rereading:
    """Some files and what reads them. What cannot be read is said once, and what was known holds on."""

    def __init__(self, what: str, paths: Sequence[Path], read: Callable[[], None]) -> None:
        self._what, self._paths, self._read = what, paths, read
        self._seen = self._stamp()

    def look(self) -> bool:
        """Read them if they have changed; whether that was done and went well."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            self._read()
        except (OSError, ValueError) as cause:  # ssl.SSLError is an OSError
            log.warning("%s cannot be read, those of before hold on: %s", self._what, cause)
            return False
        log.info("%s were read again", self._what)
        return True

    def _stamp(self) -> Stamp:
        """What tells that a file is another one: of a link, what it leads to, as Kubernetes changes its secrets."""
        return tuple(_stamp_of(path) for path in self._paths)

    def __repr__(self) -> str:
        return f"<Rereading {self._what}, {len(self._paths)} files>"


async def look_for_ever(all_of_them: Iterable[Rereading]) -> None:
    """Look at all of them again and again, off the loop: a file may lie on a slow disk."""
    ones = tuple(all_of_them)
    while ones:
        await asyncio.sleep(LOOK_S)
        for one in ones:
            await asyncio.to_thread(one.look)


def _stamp_of(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_ino, stat.st_size)
