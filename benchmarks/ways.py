"""The ways in, beside each other: the same requests over Redis, HTTP and gRPC, by the same generator, in turns."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine, models
from benchmarks.figures import WAYS, Figure
from benchmarks.generator import Generator
from benchmarks.registering import register_one

from scurry.cli.output import table

DOORS = {"redis": "redis_url", "http": "http_url", "grpc": "grpc_url"}
HEADINGS = ("figure", "door", "requests/s", "of HTTP", "p50 ms", "over Redis", "p99 ms", "gateway µs", "errors", "goal")

Turn = tuple[dict[str, Any], dict[str, float]]


class Ways:
    """Some rounds against one `scurry up`."""

    def __init__(
        self,
        args: argparse.Namespace,
        at: Mapping[str, Any],
        pid: int,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._args, self._at, self._folder, self._say = args, at, folder, say
        self._generator = Generator(at, folder, lambda: machine.processes(pid))
        self._turns: dict[tuple[str, str], list[Turn]] = {}

    def run(self) -> int:
        """Measure, print, write; 1 when a request failed."""
        for name, subject in models.make(self._folder / "models").items():
            register_one(self._at, name, subject.file, subject.max_batch_size)
        self._say(f"warming each for {self._args.warm:g} s")
        for door in DOORS:
            self._ask(replace(WAYS[0], flags=("--callers", "64"), warm_up=0), door, self._args.warm)
        for number in range(self._args.rounds):
            for figure in WAYS:
                for door in [*DOORS][number % 3 :] + [*DOORS][: number % 3]:
                    turn = self._ask(figure, door, self._args.seconds or 6.0)
                    self._turns.setdefault((figure.name, door), []).append(turn)
                    self._say(f"{figure.name}, {door}: {turn[0]['per_second']:,.0f}/s, p50 {turn[0]['p50_ms']:.2f} ms")
        return self._report()

    def _ask(self, figure: Figure, door: str, seconds: float) -> Turn:
        figure = replace(figure, flags=(*figure.flags, "--door", door), seconds=seconds)
        return self._generator.load(figure, url=self._at[DOORS[door]] if door != "redis" else "")

    def _report(self) -> int:
        print("\nThe same requests through each door, in turns. Medians; ratios and differences of medians.")
        print(table(HEADINGS, [self._row(figure, door) for figure in WAYS for door in DOORS]))
        Path(self._args.json).write_text(json.dumps({", ".join(key): turns for key, turns in self._turns.items()}))
        print(f"\nwritten to {self._args.json}")
        return 1 if any(figures["failed"] for turns in self._turns.values() for figures, _ in turns) else 0

    def _row(self, figure: Figure, door: str) -> list[object]:
        rate, p50, p99 = (self._mid(figure, door, name) for name in ("per_second", "p50_ms", "p99_ms"))
        turns = self._turns[figure.name, door]
        micros = median(used.get("gateway", 0.0) / max(figures["per_second"], 1e-9) * 1e6 for figures, used in turns)
        return [
            figure.name, door, f"{rate:,.0f}".rjust(10), f"{rate / self._mid(figure, 'http', 'per_second'):.2f}",
            f"{p50:.2f}", f"{p50 - self._mid(figure, 'redis', 'p50_ms'):+.2f}", f"{p99:.2f}", f"{micros:.0f}",
            sum(figures["failed"] for figures, _ in turns), figure.goal if door != "redis" else "",
        ]  # fmt: skip

    def _mid(self, figure: Figure, door: str, name: str) -> float:
        return median(figures[name] for figures, _ in self._turns[figure.name, door])
