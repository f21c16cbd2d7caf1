"""Watches the job for restarts, and whose fault they may be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.chaos.ledger import Ledger
from tests.chaos.stack import Stack

AFTER_S = 45.0
"""A restart so long after a fault may still come from it."""


@dataclass(slots=True)
class Acting:
    """Which faults act, and which have lately."""

    ended: dict[str, float] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)

    def begin(self, name: str) -> None:
        """A fault begins."""
        self.begun.append(name)

    def end(self, name: str) -> None:
        """It is over."""
        self.begun.remove(name)
        self.ended[name] = time.monotonic()

    def since(self, begin: float) -> set[str]:
        """All that acted at some time since then."""
        return {*self.begun, *(name for name, at in list(self.ended.items()) if at >= begin)}

    def lately(self) -> set[str]:
        """All that may have a consequence now."""
        now = time.monotonic()
        return {*self.begun, *(name for name, at in list(self.ended.items()) if now - at < AFTER_S)}


class RestartWatch(threading.Thread):
    """Asks Flink every second how often it restarted the job."""

    def __init__(self, stack: Stack, acting: Acting, ledger: Ledger, harmless: Iterable[str]) -> None:
        super().__init__(daemon=True, name="restarts")
        self.restarts = 0
        self._stack, self._acting, self._ledger = stack, acting, ledger
        self._harmless = frozenset(harmless)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Watch until told to stop."""
        known: tuple[int, int] = (0, 0)
        while not self._stopping.wait(1.0):
            job = self._stack.pids().get("job", 0)
            count = self._stack.job_restarts()
            if count is None or not job:
                continue
            before = known[1] if known[0] == job else 0
            if count > before:
                self.noticed(count - before)
            known = (job, count)

    def noticed(self, count: int) -> None:
        """The job was restarted: a fault of ours when nothing acted that may do that."""
        self.restarts += count
        lately = self._acting.lately()
        if lately <= self._harmless:
            self._ledger.wrong("worker_restarts", f"{count}, while {', '.join(sorted(lately)) or 'nothing'}", count)

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()
        self.join()
