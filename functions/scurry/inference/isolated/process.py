"""The worker's side of the process of one model.

The process is asked one thing at a time. That it ended tells what it was computing: nothing else was.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from scurry.inference.children import Died
from scurry.inference.isolated.channel import Channel, Unreadable
from scurry.inference.isolated.confine import OUT_OF_MEMORY
from scurry.wire.errors import Unavailable, error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.wire.tensors import Array

LOOK_SECONDS: Final = 1.0
"""So often it is looked whether the process lives still: one that it left behind may hold the other end open."""
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What tells libraries how many threads to begin; what the worker was started with stands."""
LEAVE_SECONDS: Final = 5.0
"""How long a process may take to leave when it is asked to."""


class Process:
    """One process, started when this is made. Belongs to a thread that lives as long as it does."""

    def __init__(self, threads: int = 1) -> None:
        """Start it, its libraries computing with so many threads. Raises `unavailable`."""
        ours, theirs = socket.socketpair()
        try:
            # -P: nothing is imported from the directory that the worker happens to run in.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "scurry.inference.isolated.host", str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True,
                env={**dict.fromkeys(THREADS, str(threads)), **os.environ},
            )  # fmt: skip
        except OSError as cause:
            ours.close()
            raise Unavailable("unavailable", f"The worker cannot start a process for the model: {cause}.") from cause
        finally:
            theirs.close()
        self._channel = Channel(ours)
        self.pid = self._process.pid
        self.runs = 0  # that came back

    def ask(
        self, header: Mapping[str, Any], arrays: Sequence[Array], limit: float
    ) -> tuple[dict[str, Any], list[Array]]:
        """What it answers. Raises `ScurryError`, `Died`, or `TimeoutError` when it does not come back."""
        end = time.monotonic() + limit
        try:
            self._channel.send(header, arrays, limit)
            answer, outputs = self._receive(end)
        except (EOFError, ConnectionError):
            raise Died(self._ending()) from None
        except Unreadable as cause:
            raise Died(f"it answered what nobody can read: {cause}") from None
        if "code" in answer:
            raise error(str(answer["code"]), str(answer["message"]))
        self.runs += 1
        return answer, outputs

    def _receive(self, end: float) -> tuple[dict[str, Any], list[Array]]:
        while True:
            try:
                return self._channel.receive(min(LOOK_SECONDS, max(0.0, end - time.monotonic())))
            except TimeoutError:
                if self._process.poll() is not None:
                    raise EOFError from None
                if time.monotonic() >= end:
                    raise

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def _ending(self) -> str:
        try:
            status = self._process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            return "it closed its end"
        return "it may take no more memory" if status == OUT_OF_MEMORY else f"it ended with status {status}"

    def leave(self) -> None:
        """Ask it to unload its model and leave; end it when it does not."""
        with contextlib.suppress(OSError):
            self._channel.send({"op": "close"}, limit=LEAVE_SECONDS)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVE_SECONDS)
        self.end()

    def end(self) -> None:
        """End it at once, with what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()

    def __repr__(self) -> str:
        return f"<Process {self.pid}, {self.runs} runs>"
