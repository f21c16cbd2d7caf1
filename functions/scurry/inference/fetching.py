"""Brings what is parked for a batch, and parks what is large of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scurry.inference.items import fail_waiting, keys_needed, supply
from scurry.wire.errors import ScurryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.inference.answers import Payload
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import Work
    from scurry.inference.layouts import LayoutCache
    from scurry.inference.payloads import Payloads
    from scurry.wire.names import Keys


async def fetch(
    payloads: Payloads, items: Sequence[BatchItem], layouts: LayoutCache, keys: Keys, *, bodies: bool = False
) -> bool:
    """Supply items with what they need, or only with their bodies; a parked body may refer to parked tensors.

    Returns whether anything was supplied. A failure to fetch is that of every item that waits.
    """
    supplied = False
    while waiting := [item for item in items if item.needs and (not bodies or item.needs[0][0] < 0)]:
        try:
            found = await payloads.fetch(keys_needed(waiting))
        except ScurryError as failure:
            fail_waiting(waiting, failure)
            return supplied
        supply(waiting, found, layouts, keys)
        supplied = True
    return supplied


async def park(store: Payloads, key: str, work: Work, payloads: Sequence[Payload]) -> float:
    """Put what is large where its readers find it; a failure is that of the requests whose answer it is part of.

    Returns how many seconds that took.
    """
    start = time.perf_counter()
    try:
        await store.park(payloads)
    except ScurryError as failure:
        work.fail(failure)
    except Exception as cause:
        work.fail_unforeseen(key, cause)
    return time.perf_counter() - start
