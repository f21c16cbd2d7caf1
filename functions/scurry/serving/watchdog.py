"""Notices an event loop that stands still.

While it does, no heartbeat leaves and the job takes the process for dead. After a while the log says where it stands;
after a longer one the process ends with the stacks of its threads, so that whoever supervises it starts a new one.
The latter works even when a model holds the interpreter.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import sys
import threading
import traceback
from typing import Final

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
STUCK_LOOKS: Final = 4
"""After so many looks without a turn of the loop it is said where it stands."""
END_SECONDS: Final = 60.0
"""After so long without a turn the process ends; longer than anybody stops a process to look at it."""


class Watchdog:
    """Watches the loop that it was started in."""

    def __init__(self, look_seconds: float = LOOK_SECONDS, end_seconds: float = END_SECONDS) -> None:
        self._look, self._end = look_seconds, end_seconds
        self._turns = 0
        self._stopped = threading.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._watched = 0

    def start(self) -> None:
        """Watch the running loop, in a thread of its own."""
        self._watched = threading.get_ident()
        self._turn()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.cancel()
        faulthandler.cancel_dump_traceback_later()

    def _turn(self) -> None:
        self._turns += 1
        faulthandler.dump_traceback_later(self._end, exit=True)
        self._timer = asyncio.get_running_loop().call_later(self._look, self._turn)

    def _watch(self) -> None:
        """Looks are counted, not seconds: a process that was stopped as a whole did not stand still."""
        seen, looks = -1, 0
        while not self._stopped.wait(self._look):
            looks = looks + 1 if self._turns == seen else 0
            seen = self._turns
            if looks == STUCK_LOOKS:
                frame = sys._current_frames().get(self._watched)
                where = "".join(traceback.format_stack(frame)) if frame is not None else "nowhere"
                log.error("the event loop stands still for %.1f s, at:\n%s", looks * self._look, where)

    def __repr__(self) -> str:
        return f"<Watchdog after {self._turns} turns>"
