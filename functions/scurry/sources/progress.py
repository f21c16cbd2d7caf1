"""How far a fetch is.

The log is told now and then; what takes too long, or more room than was made for it, ends.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from scurry.wire.errors import Failed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

TOLD_SECONDS: Final = 5.0
MIB: Final = 2**20


class Progress:
    """Counts the bytes of one fetch, as a callback of fsspec's."""

    def __init__(
        self,
        what: str,
        whole: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._what, self._whole, self._clock, self._leaving = what, whole, clock, leaving
        self._end = clock() + seconds
        self._told = clock()
        self.bytes = 0

    def set_size(self, size: int | None) -> None:
        """Not needed: the listing has told."""

    def relative_update(self, more: int = 1) -> None:
        """So many bytes have come. Raises `load_failed` past the time limit, or when they are more than was listed."""
        self.bytes += more
        if self.bytes > self._whole:
            raise Failed("load_failed", f"{self._what}: more came than was listed ({self._whole:,} bytes).")
        if self._leaving():
            raise Unavailable("unavailable", f"{self._what} is not fetched: the worker is about to leave.")
        now = self._clock()
        if now > self._end:
            raise Failed("load_failed", f"{self._what} took too long: {self.bytes:,} of {self._whole:,} bytes came.")
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            log.info("fetching %s: %.1f of %.1f MiB", self._what, self.bytes / MIB, self._whole / MIB)

    def absolute_update(self, so_far: int) -> None:
        """The same, told as a whole."""
        self.relative_update(so_far - self.bytes)

    def __repr__(self) -> str:
        return f"<Progress {self._what}: {self.bytes:,} of {self._whole:,} bytes>"
