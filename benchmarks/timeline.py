"""Who works when: the processes of a running `scurry up` under load, millisecond by millisecond.

Each line is a process (the job's threads by their names), each sign a millisecond, its height the share of a core that
was used in it. Stages that wait for each other leave gaps in turn; stages that overlap leave none. Run as
`python -m benchmarks.timeline --door http --callers 64`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks import machine, models
from benchmarks.registering import register_one
from examples.digits.up import Up

SIGNS = " ▁▂▃▄▅▆▇█"
LINE = 100
"""Milliseconds on one line."""
LEAST = 0.02
"""A thread that used less than this share of a core is left out."""

Spent = dict[str, float]
"""Nanoseconds on a core so far, by name."""


class Threads:
    """What the threads of some processes have used of the cores, from the kernel's own account."""

    def __init__(self, processes: Mapping[int, str]) -> None:
        self._files = [
            (_name(task, called), (task / "schedstat").open("rb", buffering=0))
            for pid, called in processes.items()
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]

    def spent(self) -> Spent:
        """So far."""
        found: Spent = defaultdict(float)
        for name, file in tuple(self._files):
            try:
                file.seek(0)
                found[name] += int(file.read().split()[0])
            except ProcessLookupError:  # it has ended
                self._files.remove((name, file))
        return found

    def keep(self, names: set[str]) -> None:
        """Look at these only: looking takes time as well."""
        self._files = [(name, file) for name, file in self._files if name in names]


def _name(task: Path, process: str) -> str:
    if process != "job":
        return process
    name = (task / "comm").read_text().strip()
    return f"job: {name.split(' (')[0][:15].rstrip('0123456789-# ')}"


def watch(processes: Mapping[int, str], ms: int) -> tuple[list[float], list[Spent]]:
    """When was looked, in seconds, and what had been used by then; about once a millisecond."""
    threads = Threads(processes)
    before, start = threads.spent(), time.perf_counter()
    time.sleep(1)
    after, wall = threads.spent(), (time.perf_counter() - start) * 1e9
    threads.keep({name for name in after if (after[name] - before[name]) / wall >= LEAST})
    times, looks = [time.perf_counter()], [threads.spent()]
    while len(looks) <= ms:
        time.sleep(max(0.0, times[0] + len(looks) / 1000 - time.perf_counter()))
        times.append(time.perf_counter())
        looks.append(threads.spent())
    return times, looks


def shares(times: Sequence[float], looks: Sequence[Spent]) -> dict[str, list[float]]:
    """The share of a core that each name used between one look and the next."""
    gaps = [(after - before) * 1e9 for before, after in pairwise(times)]
    return {
        name: [(after[name] - before[name]) / gap for (before, after), gap in zip(pairwise(looks), gaps, strict=True)]
        for name in sorted(looks[0])
    }


def picture(used: Mapping[str, Sequence[float]]) -> str:
    """Lines of a tenth of a second, one for each name below the other."""
    width, count = max(map(len, used)), len(next(iter(used.values())))
    blocks = []
    for at in range(0, count, LINE):
        rows = [f"{name:>{width}} |{_line(values[at : at + LINE])}|" for name, values in used.items()]
        blocks.append("\n".join((f"{'ms':>{width}}  {at}", *rows)))
    return "\n\n".join(blocks)


def _line(values: Sequence[float]) -> str:
    top = len(SIGNS) - 1
    return "".join(SIGNS[min(top, max(0, round(value * top)))] for value in values)


def summary(used: Mapping[str, Sequence[float]]) -> str:
    """How much of the time how many cores were busy, and with what."""
    totals = [sum(column) for column in zip(*used.values(), strict=True)]
    lines = [f"{name}: {sum(values) / len(values):.2f} cores" for name, values in used.items()]
    idle = sum(total < 0.5 for total in totals) / len(totals)
    lines.append(f"all: {sum(totals) / len(totals):.2f} cores; next to nothing ran in {idle:.0%} of the milliseconds")
    return "\n".join(lines)


def main() -> None:
    """Start everything, load it, look, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=("redis", "http"), default="http")
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--warm", type=float, default=20)
    parser.add_argument("--ms", type=int, default=300, help="milliseconds to look at")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scurry-timeline-") as name:
        folder = Path(name)
        with Up(folder / "up", lambda line: print(line, file=sys.stderr)) as up:
            at = up.wait_until_ready()
            subject = models.make(folder / "models")["tiny"]
            register_one(at, "tiny", subject.file, subject.max_batch_size)
            command = [sys.executable, "-m", "scurry", "bench", "tiny", "--door", args.door]
            command += ["--callers", str(args.callers), "--warm-up", str(args.warm), "--seconds", "8"]
            command += ["--redis-url", at["redis_url"], "--url", at["http_url"]]
            generator = subprocess.Popen(command)
            time.sleep(args.warm + 3)
            used = shares(*watch(machine.processes(up.pid) | {generator.pid: "generator"}, args.ms))
            generator.wait()
        print(f"\n{picture(used)}\n\n{summary(used)}")


if __name__ == "__main__":
    main()
