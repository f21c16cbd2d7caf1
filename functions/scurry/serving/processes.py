"""A process that is kept running: started, logged, restarted, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BACK_OFF_S: Final = (0.5, 10.0)
CALM_S: Final = 30.0
"""A process that ran this long before it died is restarted with the shortest pause."""

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)
_log = logging.getLogger(__name__)


class StartFailed(Exception):
    """A process that did not get ready; the sentence holds what it said last."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and where it logs."""

    name: str
    command: Sequence[str]
    log: Path
    environ: dict[str, str] = field(default_factory=dict)


class Child:
    """One process by plan, in a process group of its own, that does not outlive us."""

    def __init__(self, plan: Plan, changed: Callable[[], None] = lambda: None) -> None:
        self.plan = plan
        self.restarts = 0
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._log_start = 0
        self._started = 0.0

    @property
    def pid(self) -> int:
        """The process' id; 0 when it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode if self._process is not None else None

    async def start(self) -> None:
        """Start it once. Raises `StartFailed` when there is nothing to execute."""
        parent = os.getpid()
        with self.plan.log.open("ab") as log:
            self._log_start = log.tell()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self.plan.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.plan.environ,
                    start_new_session=True,
                    preexec_fn=lambda: die_with(parent),
                )
            except OSError as exc:
                raise StartFailed(f"{self.plan.name} cannot be started: {exc}.") from None
        self._started = time.monotonic()
        self._changed()

    def keep(self) -> None:
        """From now on restart it when it dies."""
        self._keeper = asyncio.create_task(self._keep())

    def said(self) -> str:
        """What it logged since it was started last."""
        with self.plan.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def check_alive(self) -> None:
        """Raise `StartFailed` with its last words when it has ended."""
        if self.exit_code is not None:
            ended = f"{self.plan.name} ended with {describe_exit(self.exit_code)}"
            raise StartFailed(f"{ended}; {self.plan.log} ends:\n{self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        """The last lines it logged."""
        return "\n".join(f"  {line}" for line in self.said().splitlines()[-lines:]) or "  (nothing)"

    async def stop(self, patience_s: float) -> None:
        """Ask it to end, and end it when it does not."""
        if self._keeper is not None:
            self._keeper.cancel()
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience_s):
                await process.wait()
        except TimeoutError:
            _log.warning("%s did not end within %g s of SIGTERM and is killed", self.plan.name, patience_s)
            self.kill()
            await process.wait()
        sweep(process.pid)

    def kill(self) -> None:
        """End it and all it started, now."""
        if self.pid:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """Its whole group is killed; asked to end is the process itself, which knows its children."""
        try:
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    async def _keep(self) -> None:
        delay, longest = BACK_OFF_S
        while self._process is not None:
            code = await self._process.wait()
            sweep(self._process.pid)
            if time.monotonic() - self._started > CALM_S:
                delay = BACK_OFF_S[0]
            _log.warning("%s ended with %s; restarting in %g s", self.plan.name, describe_exit(code), delay)
            self._changed()
            await asyncio.sleep(delay)
            delay = min(delay * 2, longest)
            await self._start_again()

    async def _start_again(self) -> None:
        self.restarts += 1
        try:
            await self.start()
        except StartFailed as exc:
            _log.error("%s", exc)

    def __repr__(self) -> str:
        state = f"runs as {self.pid}" if self.pid else "does not run"
        return f"<Child {self.plan.name} {state}, {self.restarts} restarts>"


def die_with(parent: int) -> None:
    """Between fork and exec: have the kernel kill this process when its parent dies, however that happens."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def sweep(group: int) -> None:
    """Kill what a process that has ended left behind in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
