"""Keeps a process running: restarts it, and says when it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from scurry.serving.processes import REFUSED, Child, describe_exit

BACK_OFF_S: Final = (0.2, 5.0)
"""Pauses before a restart: after the first death, and the longest. A Java that starts in 8 s is back within 15 s."""
CALM_S: Final = 30.0
"""A process that ran this long before it died is restarted with the shortest pause."""
REFUSED_S: Final = 60.0
"""Pause after a refusal, which will hardly be over by itself."""
ROOM_BYTES: Final = 1 << 20
"""A disk with less than this is full: a refusal may then be over as soon as there is space."""
DEATHS_TOLD: Final = 3
"""So many deaths in a row are no accident any more: its last words are printed."""

_log = logging.getLogger(__name__)


class Keeper:
    """Restarts one process until it is stopped; nothing else ends it, a full disk least of all."""

    def __init__(
        self, child: Child, changed: Callable[[], None] = lambda: None, tell: Callable[[str], None] = _log.error
    ) -> None:
        self.child = child
        self.restarts = 0
        self.is_refused = False
        self._changed = changed
        self._tell = tell
        self._deaths = 0
        self._always = False
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """One word for people."""
        if self.child.pid:
            return "running"
        return "refused" if self.is_refused else "restarting"

    def begin(self) -> None:
        """While all is being started, restart it when somebody kills it; what ends by itself is told, not repeated."""
        self._task = asyncio.create_task(self._keep())

    def keep(self) -> None:
        """From now on restart it when it dies."""
        self._always = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep())

    async def stop(self, patience_s: float) -> None:
        """Restart it no more, and end it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.child.stop(patience_s)

    async def _keep(self) -> None:
        while True:
            code = await self.child.end()
            if code >= 0 and not self._always:
                return
            pause = self._pause_after(code)
            with self._whatever_fails():
                self._lament(code, pause)
            with self._whatever_fails():
                self._changed()
            await asyncio.sleep(pause)
            self.restarts += 1
            with self._whatever_fails():
                await self.child.start()
            with self._whatever_fails():
                self._changed()

    @contextlib.contextmanager
    def _whatever_fails(self) -> Iterator[None]:
        """A full disk, no process or thread to be had: each step on its own may fail, the next is still taken."""
        try:
            yield
        except Exception as exc:
            _log.error("%s: %s", self.child.plan.name, exc)

    def _pause_after(self, code: int) -> float:
        """Seconds until it is started again; what refuses is asked seldom."""
        self._deaths = 1 if time.monotonic() - self.child.started > CALM_S else self._deaths + 1
        self.is_refused = code == REFUSED
        if self.is_refused and not is_full(self.child.plan.log.parent):
            return REFUSED_S
        first, longest = BACK_OFF_S
        return float(min(longest, first * 2 ** min(self._deaths - 1, 16)))

    def _lament(self, code: int, pause: float) -> None:
        """Say that it ended: a refusal, and what dies again and again, with its last words."""
        name = self.child.plan.name
        _log.warning("%s ended with %s; restarting in %g s", name, describe_exit(code), pause)
        if self.is_refused or self._deaths % DEATHS_TOLD == 0:
            self._tell(self.child.obituary(code))

    def __repr__(self) -> str:
        return f"<Keeper {self.child.plan.name} {self.state}, {self.restarts} restarts>"


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has no room left."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return True
    return disk.f_bavail * disk.f_frsize < ROOM_BYTES
