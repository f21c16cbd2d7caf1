"""What the processes of a running `scurry up` take of the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
VERBS = ("functions", "worker", "gateway", "up", "bench")
EVERY_S = 0.5


def processes(root: int) -> dict[int, str]:
    """Every process under `root` (a `scurry up`) by pid, called by what it is."""
    parents = {pid: int(fields[1]) for pid, fields in _stats()}
    found = {}
    for pid in parents:
        above = pid
        while above not in (0, root):
            above = parents.get(above, 0)
        if above == root:
            found[pid] = _called(pid)
    return found


def _stats() -> Iterator[tuple[int, list[str]]]:
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield int(file.parent.name), file.read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # ended meanwhile


def _called(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "gone"
    program = Path(words[0]).name
    if program.startswith("redis-server"):
        return "redis"
    if program == "java":
        return "job"
    return next((verb for verb in VERBS if verb in words), program)


def cpu_seconds(pids: Mapping[int, str]) -> dict[str, float]:
    """User and system seconds so far, by name; workers count together, gateways as well."""
    spent: dict[str, float] = {}
    for pid, name in pids.items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        spent[name] = spent.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS
    return spent


def machine_seconds() -> float:
    """Seconds that all cores together have been busy."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def heap_mb(pid: int) -> float | None:
    """Used heap of a Java process after a collection; None without a JDK's jcmd."""
    beside = Path(f"/proc/{pid}/exe").readlink().with_name("jcmd")
    jcmd = str(beside) if beside.exists() else shutil.which("jcmd")
    if not jcmd:
        return None
    subprocess.run([jcmd, str(pid), "GC.run"], capture_output=True, check=False)
    text = subprocess.run([jcmd, str(pid), "GC.heap_info"], capture_output=True, text=True, check=False).stdout
    parts = [int(used) for used in re.findall(r"total \d+K, used (\d+)K", text)]  # one, or one for each generation
    return sum(parts) / 1000 if parts else None


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU seconds by process at one moment."""

    when: float
    spent: dict[str, float]
    machine: float


class Sampler:
    """Notes the CPU seconds of all processes while a block runs."""

    def __init__(self, pids: Mapping[int, str]) -> None:
        self._pids, self._stopping, self.samples = pids, threading.Event(), list[Sample]()

    def __enter__(self) -> Sampler:
        self._thread = threading.Thread(target=self._note, daemon=True)
        self._thread.start()
        return self

    def _note(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self.samples.append(Sample(time.time(), cpu_seconds(self._pids), machine_seconds()))

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def cores(self, start: float, seconds: float) -> dict[str, float]:
        """Cores each process kept busy within a stretch of time; `machine` is everything that ran."""
        within = [sample for sample in self.samples if start <= sample.when <= start + seconds]
        if len(within) < 2:
            return {}
        first, last = within[0], within[-1]
        wall = last.when - first.when
        used = {name: (spent - first.spent.get(name, 0.0)) / wall for name, spent in last.spent.items()}
        return used | {"machine": (last.machine - first.machine) / wall}


def checkpoint_bytes(folder: Path, since: float) -> list[int]:
    """Sizes of the checkpoints under a data directory that were completed after `since` (epoch seconds)."""
    sizes = []
    for file in folder.rglob("chk-*/_metadata"):
        try:
            if file.stat().st_mtime >= since:
                sizes.append(sum(part.stat().st_size for part in file.parent.rglob("*") if part.is_file()))
        except OSError:
            continue  # replaced by a newer one meanwhile
    return sizes
