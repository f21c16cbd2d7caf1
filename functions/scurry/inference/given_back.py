"""Memory that closed models have left is given back to the system.

glibc keeps what was freed, in a heap for each thread that allocates. Where models come and go that is soon several
times what the open ones take (461 MB for 56, measured; 126 trimmed), and whoever bounds the process by its memory ends
it. Trimming takes some milliseconds for each heap: it is done once in so many bytes that were opened, and once after
the last of them, off the event loop; never where models stay.
"""

from __future__ import annotations

import asyncio
import ctypes
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PART: Final = 8
"""Once in an eighth of the budget."""
LEAST_BYTES: Final = 32 << 20
REST_SECONDS: Final = 2.0
"""Without another one, after which it was the last: what it left is free by then."""
_LIBC: Final = ctypes.CDLL(None)


def trim() -> None:
    """Give back what is free; nothing where the C library is another one."""
    if (trimmed := getattr(_LIBC, "malloc_trim", None)) is not None:
        trimmed(ctypes.c_size_t(0))


class GivenBack:
    """Counts what was opened, and trims."""

    def __init__(self, budget: int, trimming: Callable[[], None] = trim, rest: float = REST_SECONDS) -> None:
        self.every, self._trimming, self._rest = max(LEAST_BYTES, budget // PART), trimming, rest
        self._since = 0
        self._running: asyncio.Task[None] | None = None
        self._last: asyncio.TimerHandle | None = None

    def note(self, opened: int) -> None:
        """So many bytes were opened, and as many others are closed or will be."""
        self._since += opened
        if self._since >= self.every:
            self._begin()
        if self._last is not None:
            self._last.cancel()
        self._last = asyncio.get_running_loop().call_later(self._rest, self._begin)

    def _begin(self) -> None:
        if self._running is None or self._running.done():
            self._since = 0
            self._running = asyncio.create_task(asyncio.to_thread(self._trimming))

    def __repr__(self) -> str:
        return f"<GivenBack {self._since >> 20} of {self.every >> 20} MiB>"
