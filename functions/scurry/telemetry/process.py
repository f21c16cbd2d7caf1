"""What a process takes of its machine, from /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from scurry.telemetry.prometheus import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTED: Final = time.time()
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """Of one process."""

    cpu_seconds: float
    resident_bytes: int
    threads: int


def usage(pid: int | None = None) -> Usage | None:
    """What a process has taken, ours without a number; None where nobody tells, or when it has gone."""
    try:
        # The name in parentheses may hold blanks; behind it the third field comes first.
        fields = Path(f"/proc/{pid or 'self'}/stat").read_text().rpartition(")")[2].split()
        return Usage((int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE, int(fields[17]))
    except (OSError, IndexError, ValueError):
        return None


def own_figures() -> Iterator[Figure]:
    """Our own, under the names that Prometheus' clients have for them."""
    yield Figure("process_start_time_seconds", "gauge", "When this process began, since 1970", _STARTED)
    ours = usage()
    if ours is None:
        return
    yield Figure("process_cpu_seconds_total", "counter", "Time that this process computed", ours.cpu_seconds)
    yield Figure("process_resident_memory_bytes", "gauge", "Memory that this process has", ours.resident_bytes)
    yield Figure("process_threads", "gauge", "Threads of this process", ours.threads)
    files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    yield Figure("process_open_fds", "gauge", "Files and connections that are open", files)
