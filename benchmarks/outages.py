"""How long callers wait when a process is killed: each in turn, under a steady load, two workers.

Run it on a quiet machine: `python -m benchmarks.outages` (three minutes).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from benchmarks import machine, models
from benchmarks.registering import register_one
from examples.digits.up import Up

from scurry.client.client import Client
from scurry.wire.errors import ScurryError

RATE = 100
"""Requests a second."""
CALM_S, AFTER_S = 5.0, 20.0
WORKERS = 2
VICTIMS = ("worker", "functions", "job", "redis")


@dataclass
class Asked:
    """When each request was asked and answered, and what went wrong."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    async def ask(self, client: Client, patience_s: float = 30.0) -> None:
        """One request."""
        begin = time.perf_counter()
        try:
            await client.infer("tiny", {"x": np.zeros((1, 16), np.float32)}, timeout=patience_s)
        except ScurryError as failure:
            self.errors[failure.code] += 1
        else:
            self.spans.append((begin, time.perf_counter()))

    def usual(self, until: float) -> float:
        """Seconds that one in a hundred waited longer than, before."""
        return float(np.percentile([end - begin for begin, end in self.spans if end < until], 99))

    def longest(self, since: float) -> float:
        """Seconds that the unluckiest waited, of those who were not answered yet."""
        return max(end - begin for begin, end in self.spans if end > since)

    def silence(self, since: float) -> float:
        """Seconds between two answers, at most."""
        ends = sorted(end for _, end in self.spans if end > since - 0.1)
        return float(np.diff(ends).max())

    def first_after(self, moment: float) -> float:
        """Seconds until the first answer to a request that was asked after a moment, or waited then."""
        return min(end for _, end in self.spans if end > moment) - moment


async def kill(redis_url: str, up: int, victim: str) -> str:
    """A row of the table."""
    asked, tasks = Asked(), []
    async with Client(redis_url) as client:
        begin, killed, born = time.perf_counter(), 0.0, 0.0
        old: set[int] = set()
        for number in range(int((CALM_S + AFTER_S) * RATE)):
            await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
            tasks.append(asyncio.create_task(asked.ask(client)))
            if not killed and number >= CALM_S * RATE:
                old = named(up, victim)
                os.kill(min(old), signal.SIGKILL)
                killed = time.perf_counter()
            elif killed and not born and number % 5 == 0 and named(up, victim) - old:
                born = time.perf_counter()
        await asyncio.gather(*tasks)
    errors = ", ".join(f"{count} × {code}" for code, count in asked.errors.items()) or "0"
    waits = (asked.longest(killed), asked.silence(killed), born - killed, asked.first_after(born))
    return f"{victim:<10} {asked.usual(killed) * 1000:>12.1f} {'  '.join(f'{each:>13.2f}' for each in waits)}  {errors}"


def named(up: int, victim: str) -> set[int]:
    """Its processes."""
    return {pid for pid, name in machine.processes(up).items() if name == victim}


def main() -> int:
    """Print the table."""
    headings = ("longest s", "no answer s", "back after s", "then answer s")
    print(f"{'killed':<10} {'usual p99 ms':>12} {'  '.join(f'{each:>13}' for each in headings)}  errors")
    with (
        tempfile.TemporaryDirectory(prefix="scurry-outages-") as folder,
        Up(Path(folder) / "up", lambda line: print(line, file=sys.stderr), "--workers", str(WORKERS)) as up,
    ):
        at = up.wait_until_ready()
        tiny = models.make(Path(folder) / "models")["tiny"]
        register_one(at, "tiny", tiny.file, tiny.max_batch_size)
        for victim in VICTIMS:
            print(asyncio.run(kill(at["redis_url"], up.pid, victim)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
