"""Asking again what was refused: when, and how often.

Only what never ran is asked again (`ScurryError.retryable`), under the same id: nothing is computed twice for it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from scurry.wire.errors import ScurryError

T = TypeVar("T")

FIRST_S: Final = 0.1
"""The first pause at most; it doubles with each try."""
LONGEST_S: Final = 10.0


def pause(tries: int, retry_after: float, share: float) -> float:
    """Seconds to wait after so many tries, by a share from 0 to 1 that chance gives.

    Anything up to a bound that doubles, so that those who were refused together do not come back together; never before
    the time that was asked for.
    """
    bound = min(FIRST_S * 2.0 ** min(tries - 1, 30), LONGEST_S)
    return float(retry_after + bound * share)


async def persist(ask: Callable[[float], Awaitable[T]], *, retries: int, timeout: float) -> T:  # noqa: ASYNC109
    """What `ask`, told how many seconds are left, answers at last. Raises the last failure."""
    end, tries = time.monotonic() + timeout, 0
    while True:
        try:
            return await ask(max(end - time.monotonic(), 0) if tries else timeout)
        except ScurryError as failure:
            tries += 1
            wait = pause(tries, failure.retry_after, random.random())
            if not failure.retryable or tries > retries or time.monotonic() + wait >= end:
                raise
        await asyncio.sleep(wait)
