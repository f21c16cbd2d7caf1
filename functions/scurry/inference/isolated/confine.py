"""How a child process of a worker is kept in its place.

It ends with its worker, is the first that a system short of memory ends, computes when the worker does not, and may
take so much memory and no more.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from pathlib import Path
from typing import Final

NICE: Final = 5
"""What it is nicer by than the worker: less than the threads of slow models, for a quick one may have to come here."""
OUT_OF_MEMORY: Final = 86
"""The status of a process that ended because it may take no more memory."""
_SET_PARENT_DEATH_SIGNAL: Final = 1


def yield_to_the_worker(worker: int = 0) -> None:
    """End when the worker ends, and before it where memory is short; compute when it does not.

    The signal comes when the thread ends that started this process. A `worker` (its pid) that ended before that was
    arranged for ends this process now.
    """
    os.nice(NICE)
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if worker and os.getppid() != worker:
        os._exit(1)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def limit_memory(more: int) -> None:
    """Let this process take so much more memory than it has now. Without /proc there is no limit.

    What counts is data, not address space: frameworks reserve far more of that than they use.
    """
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[5])  # data and stack
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))


def own_bytes() -> int:
    """Resident memory that belongs to this process alone; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
        return (resident - shared) * resource.getpagesize()
    return 0
