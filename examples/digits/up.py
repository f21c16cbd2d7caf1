"""A `scurry up` of one's own, from start to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

STOP_S = 40


class Up:
    """`scurry up` in a folder of its own, on free ports. Leaving the block stops it."""

    def __init__(self, folder: Path, say: Callable[[str], None], *flags: str) -> None:
        self._folder, self._say, self._flags = folder, say, flags

    def __enter__(self) -> Self:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves the block, as Ctrl-C does
        command = [sys.executable, "-m", "scurry", "up", "--dir", str(self._folder), *self._flags]
        settings = {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")}
        self._process = subprocess.Popen(
            command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self._ready = threading.Event()
        threading.Thread(target=self._pass_on, daemon=True).start()
        return self

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        return self._process.pid

    def _pass_on(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if not self._ready.is_set():
                self._say(line.rstrip())
            if "scurry is ready" in line:
                self._ready.set()
        self._ready.set()

    def wait_until_ready(self) -> dict[str, Any]:
        """Wait until everything runs; its addresses."""
        self._ready.wait()
        if self._process.poll() is not None:
            raise SystemExit(f"scurry up ended with status {self._process.returncode} before it was ready.")
        info: dict[str, Any] = json.loads((self._folder / "scurry.json").read_text())
        return info

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise SystemExit(f"scurry up did not stop within {STOP_S} s of SIGTERM.") from None
