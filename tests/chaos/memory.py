"""Memory over time: what each process and Redis hold, and by how much that grows."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import redis
from tests.chaos.door import connect
from tests.chaos.stack import Stack

MIB = 1 << 20
PAGE = 4096
EVERY_S = 5.0
KEYS_EVERY = 6
LIVE_EVERY = 12
"""A look at the live objects is a whole garbage collection."""
WARM = 1 / 3
"""This part of the time does not count: caches fill, the JVM compiles."""
MARKERS_S = 960.0
"""Markers live for 15 minutes: in a run that is long enough only what is behind that counts."""
FAMILIES = ("done", "result", "payload", "replies")

Sample = tuple[float, float]
"""Seconds from the start, and MiB or a count."""


class Sampler(threading.Thread):
    """Looks every few seconds until told to stop."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True, name="memory")
        self.samples: defaultdict[str, list[Sample]] = defaultdict(list)
        self._stack = stack
        self._stopping = threading.Event()
        self._begin = time.monotonic()

    def run(self) -> None:
        """Sample."""
        rounds = 0
        while not self._stopping.wait(EVERY_S):
            now = time.monotonic() - self._begin
            for name, pid in self._stack.pids().items():
                self.samples[f"{name}, MiB"].append((now, resident(pid)))
            link = connect(self._stack.redis_url)
            self.samples["Redis' data, MiB"].append((now, link.info("memory")["used_memory"] / MIB))
            if rounds % KEYS_EVERY == 0:
                for family, count in families(link).items():
                    self.samples[f"keys {family}"].append((now, count))
            if rounds % LIVE_EVERY == 0 and (live := live_objects(self._stack.pids().get("job", 0))):
                self.samples["job's live objects, MiB"].append((now, live))
            rounds += 1

    def stop(self) -> None:
        """Sample no more."""
        self._stopping.set()
        self.join()

    def lines(self) -> list[str]:
        """A line for each thing that was watched."""
        head = f"  {'memory':<24} {'first':>9} {'last':>9} {'a minute':>10} {'in 24 h':>10}"
        lines = [head, *(line(name, samples) for name, samples in sorted(self.samples.items()))]
        return lines if shutil.which("jcmd") else [*lines, "  (no jcmd on the PATH: what lives in the job is unknown)"]


def line(name: str, samples: Sequence[Sample]) -> str:
    """First and last after warm-up, growth a minute, and what a day of that would add."""
    kept = warm(samples)
    a_minute = slope(kept) * 60
    first, last = (kept[0][1], kept[-1][1]) if kept else (0.0, 0.0)
    return f"  {name:<24} {first:>9.1f} {last:>9.1f} {a_minute:>+10.3f} {a_minute * 1440:>+10.0f}"


def warm(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Without the first part of the time."""
    if not samples:
        return samples
    end = samples[-1][0]
    begin = MARKERS_S if end * (1 - WARM / 2) > MARKERS_S else end * WARM
    return [each for each in samples if each[0] >= begin]


def slope(samples: Sequence[Sample]) -> float:
    """Growth in a second, by least squares."""
    if len(samples) < 2:
        return 0.0
    mean_t = sum(t for t, _ in samples) / len(samples)
    mean_v = sum(v for _, v in samples) / len(samples)
    spread = sum((t - mean_t) ** 2 for t, _ in samples)
    return sum((t - mean_t) * (v - mean_v) for t, v in samples) / spread if spread else 0.0


def resident(pid: int) -> float:
    """Resident memory of a process; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / MIB
    except OSError:
        return 0.0


def live_objects(pid: int) -> float:
    """What a JVM's heap holds once all garbage is collected, in MiB; 0 when nobody can tell.

    Its process grows to what its heap may become, leak or no leak: this tells them apart.
    """
    jcmd = shutil.which("jcmd")
    if jcmd is None or not pid:
        return 0.0
    told = subprocess.run([jcmd, str(pid), "GC.class_histogram"], capture_output=True, text=True, check=False).stdout
    total = re.search(r"^Total +\d+ +(\d+)", told, re.MULTILINE)
    return int(total[1]) / MIB if total else 0.0


def families(link: redis.Redis) -> Counter[str]:
    """How many keys there are of each kind."""
    counts: Counter[str] = Counter(dict.fromkeys(FAMILIES, 0))
    for key in link.scan_iter(count=5000):
        family = key.split(b":")[1].decode(errors="replace") if b":" in key else ""
        if family in FAMILIES:
            counts[family] += 1
    return counts
