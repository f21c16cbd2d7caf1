"""`scurry bench` as a process of its own, and what everybody took of the machine meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.figures import Figure


class LoadFailed(Exception):
    """The load generator ended without a figure; it has said why."""


class Generator:
    """Loads a running `scurry up`, or what listens at another address with models of the same names."""

    def __init__(self, at: Mapping[str, Any], folder: Path, processes: Callable[[], dict[int, str]]) -> None:
        self._at, self._output, self._processes = at, folder / "figures.json", processes

    def load(
        self, figure: Figure, *, url: str = "", during: Callable[[], None] = lambda: None
    ) -> tuple[dict[str, Any], dict[str, float]]:
        """The figures, and the cores that each process kept busy. Raises `LoadFailed`."""
        self._output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "scurry", "bench", figure.models, *figure.flags]
        command += ["--seconds", str(figure.seconds), "--warm-up", str(figure.warm_up), "--json", str(self._output)]
        command += ["--redis-url", self._at["redis_url"], "--url", url or self._at["http_url"]]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with machine.Sampler(self._processes() | {process.pid: "generator"}) as sampler:
            while process.poll() is None:
                during()
                time.sleep(0.2)
        if not self._output.exists():
            raise LoadFailed(f"scurry bench ended with status {process.returncode}")
        (figures,) = json.loads(self._output.read_text())
        return figures, sampler.cores(figures["started"], figures["seconds"])
