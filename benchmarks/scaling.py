"""How it grows: workers, partitions and task slots, models; and what a request and a model cost each part.

Run it on a quiet machine: `python -m benchmarks.scaling` (half an hour), or parts of it with `--only`. The models sleep
(`benchmarks.sleeping`), so that the workers of one machine can stand for many machines; Redis, the job, functions and
the generator do not sleep, and share its cores. What was measured is written to a file, beside what is there already;
`python -m benchmarks.scaling_report` makes pictures and the tables of docs/scaling.md of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine, sleeping
from benchmarks import models as models_of
from benchmarks.figures import Figure
from benchmarks.generator import Generator
from benchmarks.registering import register_many
from benchmarks.surroundings import Surroundings

from scurry.client.client import Client

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs/scaling.json"
WARM_S, SECONDS = 40.0, 10.0
WORKERS, ROW_US = (1, 2, 4, 8, 16), 40_000.0
BUSY_MODELS, CALLERS = 8, 24
"""For each worker. A model that several callers wait for is spread over two workers, an idle one is not."""
JOBS = ((1, 1), (2, 1), (4, 1), (1, 2), (2, 2), (4, 2))
"""Partitions and task slots."""
MODELS = (1, 10, 100, 1000, 10_000)
MODELS_RATE = 1000
COSTS = (
    *((250, 1), (1000, 1), (4000, 1), (8000, 1), (250, 30), (1000, 30), (4000, 30), (6000, 30)),
    *((250, 1000), (1000, 1000), (2000, 1000), (0, 1), (0, 30), (0, 1000)),
)
"""Requests a second and models that costs are fitted to; 0: as many as 256 callers get."""
CHECKS = ((2000, 100), (600, 300))
"""Those they are checked against: none of the models, none of the rates they are fitted to."""
QUICK_US, SMALL = 50.0, ("--payload-bytes", "64")
START = time.perf_counter()


def say(line: str) -> None:
    """One line of progress."""
    print(f"[{time.perf_counter() - START:6.1f} s] {line}", file=sys.stderr, flush=True)


class Cluster:
    """Everything in processes below this one, with sleeping models."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder, self._loop = folder, asyncio.new_event_loop()
        self._started = Surroundings(folder / "up", workers)
        self.at = self._started.at
        self._generator = Generator(self.at.shown(), folder, lambda: machine.processes(os.getpid()))

    def start(self, partitions: int, slots: int) -> None:
        """Wait until the job runs."""
        self._loop.run_until_complete(self._started.start(("-m", "benchmarks.sleeping")))
        self._loop.run_until_complete(self._started.start_job(partitions, slots))

    def register(self, count: int, row_us: float, prefix: str) -> float:
        """Seconds until so many models are ready."""
        files = sleeping.make(self.folder / prefix, count, row_us, prefix)
        return self._register(files, sleeping.RUNTIME)

    def register_quick(self, count: int) -> str:
        """So many models that do not sleep, small networks; the pattern of their names."""
        files = models_of.make_many(self.folder / f"quick-{count}", count)
        self._register([file.rename(file.with_name(f"quick-{count}-{file.name}")) for file in files], "onnx")
        return f"quick-{count}-*"

    def _register(self, files: Sequence[Path], runtime: str) -> float:
        count, told = len(files), register_many(self.at.shown(), files, runtime)
        if told["registered_ok"] != count:
            raise SystemExit(f"Of {count} models {told['registered_ok']} were registered.")
        return told["registration_s"]

    def load(self, models: str, seconds: float, *flags: str, warm_up: float = 3.0) -> dict[str, Any]:
        """Figures of one load, and what each part took meanwhile: cores, and bytes a second."""
        looks: list[tuple[float, float, float]] = []

        def look() -> None:
            told = self.info("stats")
            inner = float(told["total_net_input_bytes"]) + float(told["total_net_output_bytes"])
            looks.append((time.time(), inner, _loopback_bytes()))

        figure = Figure("", models, "", flags, seconds=seconds, warm_up=warm_up)
        figures, cores = self._generator.load(figure, during=look)
        started = figures["started"]
        within = [one for one in looks if started <= one[0] <= started + figures["seconds"]]
        (since, redis, whole), (until, redis_end, whole_end) = within[0], within[-1]
        rates = {"redis_bytes": (redis_end - redis) / (until - since), "bytes": (whole_end - whole) / (until - since)}
        kept = ("per_second", "p50_ms", "p99_ms", "failed", "verdict")
        return {**{name: figures[name] for name in kept}, "takes": cores | rates}

    def redis(self, *words: str) -> Any:  # noqa: ANN401 - as the command answers
        """What Redis answers to a command."""
        return self._loop.run_until_complete(_ask(self.at.redis_url, words))

    def info(self, section: str) -> dict[str, str]:
        """What INFO tells."""
        pairs = (line.partition(":") for line in self.redis("INFO", section).decode().splitlines())
        return {name: value for name, colon, value in pairs if colon}

    def view_mb(self) -> float:
        """What the records of all models take in Redis."""
        return (self.redis("MEMORY", "USAGE", "scurry:models", "SAMPLES", "0") or 0) / 1e6

    def job(self) -> dict[str, float]:
        """Heap of the job in MB, the newest checkpoint in MB and its milliseconds."""
        pid = next(pid for pid, name in machine.processes(os.getpid()).items() if name == "job")
        heap = machine.heap_mb(pid) or 0.0
        time.sleep(11)  # the next checkpoint but one knows all that was registered
        with urllib.request.urlopen(f"{self.at.ui_url}/jobs") as answer:
            (job,) = json.loads(answer.read())["jobs"]
        with urllib.request.urlopen(f"{self.at.ui_url}/jobs/{job['id']}/checkpoints") as answer:
            newest = json.loads(answer.read())["latest"]["completed"]
        folder = self.folder / "up"
        size = max(machine.checkpoint_bytes(folder, time.time() - 6), default=0)
        return {"heap_mb": heap, "checkpoint_mb": size / 1e6, "checkpoint_ms": newest["end_to_end_duration"]}

    def stop(self) -> None:
        """End all of it."""
        self._loop.run_until_complete(self._started.stop())
        self._loop.close()

    def __repr__(self) -> str:
        return f"<Cluster {self.folder}>"


async def _ask(redis_url: str, words: tuple[str, ...]) -> Any:  # noqa: ANN401 - as the command answers
    async with Client(redis_url) as client:
        return await client.command(*words)


def _loopback_bytes() -> float:
    (line,) = (line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return float(line.split()[1])


@contextmanager
def cluster(workers: int, partitions: int = 1, slots: int = 1) -> Iterator[Cluster]:
    """One that runs."""
    with tempfile.TemporaryDirectory(prefix="scurry-scaling-") as name:
        say(f"starting {workers} workers, {partitions} partitions, {slots} task slots")
        made = Cluster(Path(name), workers)
        try:
            made.start(partitions, slots)
            yield made
        finally:
            made.stop()


def workers() -> Iterator[dict[str, Any]]:
    """Throughput of so many workers, each with a core of its own that is kept busy."""
    for count in WORKERS:
        with cluster(count) as one:
            one.register(BUSY_MODELS * count, ROW_US, "m")
            callers = str(CALLERS * count)
            told = one.load("m-*", SECONDS, *SMALL, "--callers", callers, warm_up=WARM_S / 2)
            yield {"workers": count, "limit": count * 1e6 / ROW_US, **told}


def job() -> Iterator[dict[str, Any]]:
    """Throughput where nothing but the machine's cores limits it."""
    for partitions, slots in JOBS:
        with cluster(2, partitions, slots) as one:
            one.register(64, QUICK_US, "m")
            told = one.load("m-*", SECONDS, *SMALL, "--callers", "256", warm_up=WARM_S)
            yield {"partitions": partitions, "slots": slots, **told}


def models() -> Iterator[dict[str, Any]]:
    """What registered models take, and how one rate of requests fares when it is for all of them."""
    with cluster(2) as one:
        one.register(1, QUICK_US, "w")
        one.load("w-*", 1.0, *SMALL, "--callers", "64", warm_up=WARM_S)
        registered = 0
        before = one.job() | {"redis_mb": one.view_mb()}
        for count in MODELS:
            took = one.register(count - registered, QUICK_US, f"m{count:05d}")
            registered = count
            told = one.job() | {"redis_mb": one.view_mb()}
            grown = {name: told[name] - before[name] for name in ("heap_mb", "checkpoint_mb", "redis_mb")}
            asked = one.load("m?????-*", SECONDS, *SMALL, "--rate", str(MODELS_RATE), warm_up=5)
            yield {
                "models": count, "registration_s": took, "checkpoint_ms": told["checkpoint_ms"],
                "grown": grown, **asked,
            }  # fmt: skip


def costs() -> Iterator[dict[str, Any]]:
    """What a steady rate takes of each part; the models are small networks, which the worker runs in its loop."""
    with cluster(1) as one:
        named = {count: one.register_quick(count) for count in sorted({count for _, count in (*COSTS, *CHECKS)})}
        for count in (min(named), max(named)):
            one.load(named[count], 1.0, "--callers", "64", warm_up=WARM_S)
        for rate, count in (*COSTS, *CHECKS):
            keys, used = one.redis("DBSIZE"), float(one.info("memory")["used_memory"])
            how = ("--rate", str(rate)) if rate else ("--callers", "256")
            told = one.load(named[count], SECONDS, *how, warm_up=4)
            marks = max(1, one.redis("DBSIZE") - keys)
            mark_bytes = (float(one.info("memory")["used_memory"]) - used) / marks
            yield {"models": count, "checked": (rate, count) in CHECKS, "mark_bytes": mark_bytes, **told}


PARTS = {"workers": workers, "job": job, "models": models, "costs": costs}


def main() -> int:
    """Measure, and write it down after each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be given several times")
    parser.add_argument("--json", type=Path, default=FILE, metavar="FILE", help="where the figures go")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends all it started, as Ctrl-C does
    known: dict[str, Any] = json.loads(given.json.read_text()) if given.json.exists() else {}
    for name in given.only or PARTS:
        known[name] = []
        for row in PARTS[name]():
            say(f"{name}: {json.dumps(row)}")
            known[name].append(row)
        given.json.write_text(json.dumps(known, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
