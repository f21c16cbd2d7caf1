"""Threads that models compute in.

Quick and slow models have threads of their own, so that a slow model never delays a quick one. A thread whose model
does not come back is lost; its pool is replaced, so that it is missed by nobody.
"""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Final

ROWS_AT_A_TIME: Final = 8
"""Rows that are prepared at a time in one process: each may be a large picture while it is decoded."""
SLOW_SECONDS: Final = 0.02
"""Models slower than this share threads among themselves."""
SLOW_NICE: Final = 10
"""What those threads are nicer by: whoever has waited for half a second is not hurt by some milliseconds more, but the
event loop behind four busy threads is, and with it every quick model."""


class Threads:
    """Two pools."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._sizes = {"quick": max(2, cores), "slow": max(4, 2 * cores)}
        self._pools = {name: self._new(name) for name in self._sizes}

    def pool(self, seconds: float) -> ThreadPoolExecutor:
        """Where a model runs that takes so long."""
        return self._pools["quick" if seconds < SLOW_SECONDS else "slow"]

    def _new(self, name: str) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._sizes[name], name, partial(be_nice, 0) if name == "slow" else None)

    def replace(self, pool: ThreadPoolExecutor) -> None:
        """Begin a pool anew in which a thread is lost; what waits in it is still done by the others of it."""
        for name, one in self._pools.items():
            if one is pool:
                self._pools[name] = self._new(name)
                pool.shutdown(wait=False)
                return

    def close(self) -> None:
        """Let the threads go."""
        for pool in self._pools.values():
            pool.shutdown(wait=False)

    def __repr__(self) -> str:
        return f"<Threads {self._sizes['quick']} quick, {self._sizes['slow']} slow>"


@cache
def rows_pool() -> ThreadPoolExecutor:
    """Threads that prepare rows of pipelines, whichever model they are for."""
    return ThreadPoolExecutor(min(ROWS_AT_A_TIME, os.cpu_count() or 1), "rows", partial(be_nice, 0))


def be_nice(thread: int) -> None:
    """Let all others go before a thread and those it starts from now on; it is given by its native id, 0: ours."""
    with contextlib.suppress(OSError, AttributeError):  # a system where threads have no priority of their own
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + SLOW_NICE)
