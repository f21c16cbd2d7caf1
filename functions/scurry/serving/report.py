"""Keeps `scurry.json` true: where a `scurry up` listens, and what runs."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any, Final

from scurry.serving.folder import ADDRESSES, Folder
from scurry.serving.leftovers import born

RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)


class Report:
    """Writes what others read about us at each change; on a full disk again and again until there is room."""

    def __init__(self, folder: Folder, facts: Callable[[], dict[str, Any]]) -> None:
        self._folder = folder
        self._facts = facts
        self._retry: asyncio.TimerHandle | None = None

    def write(self) -> None:
        """Write the facts as they are now, or as soon as that can be done."""
        was_waiting = self._retry is not None
        self.stop()
        try:
            self._folder.write(ADDRESSES, {"pid": os.getpid(), "born": born(os.getpid()), **self._facts()})
        except OSError as exc:
            if not was_waiting:
                _log.error("%s cannot be written, trying on: %s", self._folder.path / ADDRESSES, exc)
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._again)

    def stop(self) -> None:
        """Do not try again."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _again(self) -> None:
        self.write()

    def __repr__(self) -> str:
        return f"<Report on {self._folder.path} {'waits for room' if self._retry else 'is written'}>"
