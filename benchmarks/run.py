"""Starts everything, loads it, and sets each figure beside the same model asked in process."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from benchmarks import machine, models, raw
from benchmarks.doors import Doors
from benchmarks.figures import FIGURES, Figure
from benchmarks.generator import Generator, LoadFailed
from benchmarks.registering import register_many, register_one
from benchmarks.report import Line, print_report
from benchmarks.ways import Ways
from examples.digits.up import Up

START = time.perf_counter()
WARM_S = 30


def say(line: str) -> None:
    """One line of progress."""
    print(f"[{time.perf_counter() - START:6.1f} s] {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Print the table and write the JSON; 1 when a request failed, never for a slow figure."""
    args = _arguments()
    with tempfile.TemporaryDirectory(prefix="scurry-bench-") as name:
        flags = ["--workers", str(args.workers)] if args.workers else []
        with Up(Path(name) / "up", say, *flags, *args.up) as up:
            at = up.wait_until_ready()
            if args.doors:
                return Doors(args, at, up.pid, Path(name), say).run()
            if args.ways:
                return Ways(args, at, up.pid, Path(name), say).run()
            subjects = models.make(Path(name) / "models")
            bench = Bench(args, at, up.pid, Path(name), subjects)
            bench.run()
    print_report(bench.lines, bench.facts)
    file = Path(args.json)
    file.write_text(json.dumps({"facts": bench.facts, "figures": [line.row() for line in bench.lines]}, indent=1))
    print(f"\nwritten to {file}")
    return 1 if "failed" in bench.facts or any(line.figures["failed"] for line in bench.lines) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="make bench ARGS=…")
    parser.add_argument(
        "--quick", action="store_true", help="a minute's worth: fewer figures, shorter, JVM barely warm"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="figures by name; `*` stands for any"
    )
    parser.add_argument(
        "--doors", action="store_true", help="the HTTP door beside a bare aiohttp server, in rounds, instead"
    )
    parser.add_argument("--ways", action="store_true", help="Redis, HTTP and gRPC beside each other, instead")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of --doors and --ways (default 3)")
    parser.add_argument("--seconds", type=float, help="time measured for each figure")
    parser.add_argument("--warm", type=float, default=WARM_S, help=f"seconds to warm the JVM (default {WARM_S})")
    parser.add_argument("--workers", type=int, default=0, help="workers of `scurry up` (default: its own choice)")
    parser.add_argument("--many", type=int, default=1000, help="how many tiny models to register (default 1000)")
    parser.add_argument("--json", default=f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json", metavar="FILE")
    parser.add_argument("up", nargs="*", help="flags for `scurry up`, after --")
    return parser.parse_args()


class Bench:
    """One run against one `scurry up`."""

    def __init__(
        self, args: argparse.Namespace, at: dict[str, Any], pid: int, folder: Path, subjects: dict[str, models.Subject]
    ) -> None:
        self._args, self._at, self._pid, self._folder, self._subjects = args, at, pid, folder, subjects
        self._generator = Generator(at, folder, lambda: machine.processes(pid))
        self._raw: dict[str, dict[str, float]] = {}
        self.lines: list[Line] = []
        self.facts: dict[str, Any] = {}
        self._wanted = [figure for figure in FIGURES if self._wants(figure.name) and (figure.quick or not args.quick)]

    def _wants(self, name: str) -> bool:
        only: list[str] = self._args.only
        return not only or any(fnmatchcase(name, pattern) for pattern in only)

    def run(self) -> None:
        """Register, warm up, measure."""
        for name, subject in self._subjects.items():
            register_one(self._at, name, subject.file, subject.max_batch_size)
        self._warm()
        if any(figure.models.startswith("zipf") for figure in self._wanted) or self._wants("registration"):
            self._register_many()
        for figure in self._wanted:
            self._measure(figure)
        if self._wants("open loop"):
            self._measure(self._open_loop())
        if self._wants("checkpoints") and not self._args.quick:
            self._checkpoints()

    def _warm(self) -> None:
        seconds = min(self._args.warm, 5) if self._args.quick else self._args.warm
        say(f"warming the JVM for {seconds:g} s: a cold one is two to three times slower")
        self.facts["warm_s"] = seconds
        self._generator.load(Figure("warm", "tiny", "tiny", ("--callers", "256"), warm_up=0, seconds=seconds))

    def _register_many(self) -> None:
        count = 50 if self._args.quick else self._args.many
        files = models.make_many(self._folder / "many", count)
        say(f"registering {count} models")
        job = next(pid for pid, name in machine.processes(self._pid).items() if name == "job")
        before = _memory(job)
        self.facts |= {"registered": count, **register_many(self._at, files)}
        after = _memory(job)
        self.facts |= {f"job_{name}_mb": (before[name], after[name]) for name in before}
        say(f"registered in {self.facts['registration_s']:.1f} s")

    def _open_loop(self) -> Figure:
        most = next((line.per_second for line in self.lines if line.figure == "256 callers"), 10_000.0)
        rate = round(most / 2)
        return Figure("open loop", "tiny", "tiny", ("--rate", str(rate)), goal="at half the rate of 256 callers")

    def _measure(self, figure: Figure) -> None:
        beside = self._in_process(figure.raw)
        say(f"{figure.name} …")
        try:
            figures, cores = self._generator.load(self._shortened(figure))
        except LoadFailed:
            self.facts.setdefault("failed", []).append(figure.name)
            return
        self.lines.append(line := Line(figure.name, figure.goal, figures, beside, cores))
        say(line.sentence())

    def _shortened(self, figure: Figure) -> Figure:
        if self._args.quick:
            figure = replace(figure, seconds=3.0, warm_up=min(figure.warm_up, 1.5))
        return replace(figure, seconds=self._args.seconds or figure.seconds)

    def _in_process(self, name: str) -> dict[str, float]:
        """The model asked in process, once in a run, while nothing else is asked."""
        if name not in self._raw:
            known, _, size = name.partition(":")
            subject = self._subjects[known]
            shape = (int(size),) if size else subject.shape
            self._raw[name] = raw.measure(subject.file, shape, subject.batches, 1 if self._args.quick else 3)
        return self._raw[name]

    def _checkpoints(self) -> None:
        say("checkpoints while 100 requests of 600 KB are in flight …")
        sizes: list[int] = []
        begin = time.time() + 5

        def look() -> None:
            if time.time() > begin:
                sizes.extend(machine.checkpoint_bytes(self._folder / "up", begin))

        figure = Figure("checkpoints", "resnet", "resnet", ("--callers", "100"), warm_up=3, seconds=15)
        self._generator.load(figure, during=look)
        self.facts["largest_checkpoint_bytes"] = max(sizes, default=0)
        self.facts["checkpoints_seen"] = len(set(sizes))


def _memory(job: int) -> dict[str, float | None]:
    heap = machine.heap_mb(job)
    return {"heap": heap, "resident": machine.resident_mb(job)}
