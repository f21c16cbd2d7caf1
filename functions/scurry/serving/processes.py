"""A process of ours: started, logged, stopped with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

REFUSED: Final = 2
"""The exit status of a process that will not start until something is set otherwise."""

WORDS_BYTES: Final = 16384

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
    cure: str = ""  # what to do when it refuses to start
    session: bool = False  # a session of its own


class Child:
    """One process by plan, in a process group of its own, that does not outlive us."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.started = 0.0
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

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
        self.started = time.monotonic()
        with self._open_log() as log:
            self._log_start = log.tell()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self.plan.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.plan.environ,
                    # Linux shares the cores out among sessions first. The threads that slow models compute in let other
                    # processes go first only within a session; who does nothing that is long has its share outside.
                    start_new_session=self.plan.session,
                    process_group=None if self.plan.session else 0,
                    preexec_fn=lambda: die_with(parent),
                )
            except (OSError, subprocess.SubprocessError) as exc:
                raise StartFailed(f"{self.plan.name} cannot be started: {exc}.") from None

    @contextlib.contextmanager
    def _open_log(self) -> Iterator[IO[bytes]]:
        """Its log; where there is no room for one it runs without."""
        try:
            log = self.plan.log.open("ab")
        except OSError as exc:
            _log.warning("%s runs without its log: %s", self.plan.name, exc)
            log = Path(os.devnull).open("ab")  # noqa: SIM115 - closed below
        with log:
            yield log

    async def end(self) -> int:
        """Its exit status, once it has ended and what it left behind in its group is gone."""
        if self._process is None:
            raise StartFailed(f"{self.plan.name} was not started.")
        code = await self._process.wait()
        sweep(self._process.pid)
        return code

    def said(self, most: int = 1 << 30) -> str:
        """What it logged since it was started last; of that the last bytes."""
        try:
            with self.plan.log.open("rb") as log:
                log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - most))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def check_alive(self) -> None:
        """Raise `StartFailed` with its last words when it has ended by itself; who is killed is started again."""
        if self.exit_code is not None and self.exit_code >= 0:
            raise StartFailed(self.obituary(self.exit_code))

    def obituary(self, code: int) -> str:
        """How it ended, its last words, and what to do when it will not start."""
        text = f"{self.plan.name} ended with {describe_exit(code)}; {self.plan.log} ends:\n{self.last_words()}"
        return f"{text}\n  {self.plan.cure}" if code == REFUSED and self.plan.cure else text

    def last_words(self, lines: int = 12) -> str:
        """The last lines it logged."""
        return "\n".join(f"  {line}" for line in self.said(WORDS_BYTES).splitlines()[-lines:]) or "  (nothing)"

    async def stop(self, patience_s: float) -> None:
        """Ask it to end, and end it when it does not."""
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

    def __repr__(self) -> str:
        return f"<Child {self.plan.name} {f'runs as {self.pid}' if self.pid else 'does not run'}>"


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
