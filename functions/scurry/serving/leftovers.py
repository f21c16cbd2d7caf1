"""Ends what a `scurry up` that was killed has left running."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

PROC: Final = Path("/proc")
PATIENCE_S: Final = 10.0


def born(pid: int) -> str:
    """When a process began, in a form that no other process with its number shares; empty when it is not there."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{_stat(pid)[19]}"
    except (OSError, IndexError):
        return ""


def find(processes: dict[str, Any]) -> list[int]:
    """Processes that still run, of those that were written down with their birth, and what they started."""
    alive = {}
    for one in processes.values():
        pid, birth = (one.get("pid"), one.get("born")) if isinstance(one, dict) else (0, "")
        if isinstance(pid, int) and pid > 1 and birth:
            alive[pid] = birth
    return [pid for pid, group in _groups() if group in alive and _is_ours(pid, group, alive[group])]


def _is_ours(pid: int, group: int, birth: str) -> bool:
    """Whether a process belongs to the process group that began then: its leader must be the same, or gone."""
    leader = born(group)
    if leader:
        return leader == birth
    return _ticks(born(pid)) >= _ticks(birth) and born(pid).partition(":")[0] == birth.partition(":")[0]


def end(processes: dict[str, Any]) -> int:
    """Kill them all and wait until they are gone; returns how many there were."""
    killed: set[int] = set()
    until = time.monotonic() + PATIENCE_S
    while (left := find(processes)) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed.update(left)
        time.sleep(0.02)
    return len(killed)


def _groups() -> Iterable[tuple[int, int]]:
    """Each process that runs, with its process group."""
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            stat = _stat(int(folder.name))
            if stat[0] != "Z":
                yield int(folder.name), int(stat[2])


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat behind the name: state, parent, group, …"""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _ticks(birth: str) -> int:
    return int(birth.rpartition(":")[2] or 0)
