"""How much memory a piece of work has left behind in this process."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident_bytes() -> int:
    """Resident bytes; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


class Growth:
    """Growth of the resident memory over a `with` block: `bytes`, or 0 when another block overlapped and blurs it."""

    _lock = Lock()
    _open = 0
    _entered = 0

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> Growth:
        with Growth._lock:
            Growth._open += 1
            Growth._entered += 1
            self._alone, self._ticket = Growth._open == 1, Growth._entered
        self._before = resident_bytes()
        return self

    def __exit__(self, *_: object) -> None:
        with Growth._lock:
            Growth._open -= 1
            if self._alone and self._ticket == Growth._entered:
                self.bytes = max(0, resident_bytes() - self._before)
