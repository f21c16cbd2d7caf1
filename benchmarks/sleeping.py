"""Models that sleep, so that one machine can stand for many.

`python -m benchmarks.sleeping worker …` is `scurry worker` with one more runtime, `sleep`. Its files hold the
microseconds that a row takes. All of a process' models share one core that is not there: one of them runs at a time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import ClassVar

import numpy as np

from scurry.cli.main import main
from scurry.runtimes import catalog
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.tensors import Array

RUNTIME = "sleep"
_core = Lock()


class SleepingRuntime(Runtime):
    """x [rows, any] → y [rows, 4], zeros, after a while."""

    name: ClassVar[str] = RUNTIME
    framework: ClassVar[str] = "Python"
    module: ClassVar[str] = "time"
    suffixes: ClassVar[tuple[str, ...]] = (".sleep",)

    def _load(self) -> None:
        self._row_s = float(self.file.path.read_text()) / 1e6
        self.inputs, self.outputs = (Port("x", "FP32", (-1, -1)),), (Port("y", "FP32", (-1, 4)),)

    def _warm_up(self) -> None:
        self.max_batch_size, self.batched, self.seconds = self.options.max_batch_size or 64, True, self._row_s

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        rows = len(arrays[0])
        with _core:
            time.sleep(rows * self._row_s)
        return [np.zeros((rows, 4), np.float32)]


def make(folder: Path, count: int, row_us: float, prefix: str = "m") -> list[Path]:
    """Files of so many models."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{prefix}-{number:05d}.sleep" for number in range(count)]
    for file in files:
        file.write_text(str(row_us))
    return files


if __name__ == "__main__":
    catalog.RUNTIMES[RUNTIME] = ("benchmarks.sleeping", "SleepingRuntime")
    sys.exit(main())
