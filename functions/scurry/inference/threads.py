"""Threads that models compute in.

Quick and slow models have threads of their own, so that a slow model never delays a quick one. A thread whose model
does not come back is lost; its pool is replaced, so that it is missed by nobody.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Final

SLOW_SECONDS: Final = 0.02
"""Models slower than this share threads among themselves."""


class Threads:
    """Two pools."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._sizes = {"quick": max(2, cores), "slow": max(4, 2 * cores)}
        self._pools = {name: ThreadPoolExecutor(size, name) for name, size in self._sizes.items()}

    def pool(self, seconds: float) -> ThreadPoolExecutor:
        """Where a model runs that takes so long."""
        return self._pools["quick" if seconds < SLOW_SECONDS else "slow"]

    def replace(self, pool: ThreadPoolExecutor) -> None:
        """Begin a pool anew in which a thread is lost; what waits in it is still done by the others of it."""
        for name, one in self._pools.items():
            if one is pool:
                self._pools[name] = ThreadPoolExecutor(self._sizes[name], name)
                pool.shutdown(wait=False)
                return

    def close(self) -> None:
        """Let the threads go."""
        for pool in self._pools.values():
            pool.shutdown(wait=False)

    def __repr__(self) -> str:
        return f"<Threads {self._sizes['quick']} quick, {self._sizes['slow']} slow>"
