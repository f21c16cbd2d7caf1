"""A `scurry up` of one's own, from start to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
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
        command = [sys.executable, "-m", "scurry", "up", "--dir", str(self._folder), *self._flags]
        settings = {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")}
        self._process = subprocess.Popen(
            command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        return self

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        return self._process.pid

    def wait_until_ready(self) -> dict[str, Any]:
        """Pass its progress on until it is ready; its addresses."""
        assert self._process.stdout
        for line in self._process.stdout:
            self._say(line.rstrip())
            if "scurry is ready" in line:
                info: dict[str, Any] = json.loads((self._folder / "scurry.json").read_text())
                return info
        raise SystemExit(f"scurry up ended with status {self._process.wait()} before it was ready.")

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            raise SystemExit(f"scurry up did not stop within {STOP_S} s of SIGTERM.") from None
