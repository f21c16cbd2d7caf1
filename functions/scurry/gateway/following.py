"""Several results, each as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Final

from scurry.gateway.results import Found, Results
from scurry.wire.errors import ScurryError

LOOK_S: Final = 60.0
"""How often those are looked for of which nothing was heard: a notice may have been missed while Redis was away."""


async def follow(results: Results, ids: Iterable[str], scope: str) -> AsyncIterator[tuple[str, Found | ScurryError]]:
    """Yield each id once: with its result, or with why there is none."""
    pending = dict.fromkeys(ids)
    heard, came = set(pending), asyncio.Event()

    def hear(request_id: str) -> None:
        heard.add(request_id)
        came.set()

    told = {request_id: partial(hear, request_id) for request_id in pending}
    try:
        for request_id, call in told.items():
            await results.notices.watch(request_id, call)
        while pending:
            asked, heard = [each for each in heard if each in pending], set()
            came.clear()
            for request_id, found in zip(asked, await _look(results, asked, scope), strict=True):
                if isinstance(found, ScurryError) or found.fields is not None:
                    del pending[request_id]
                    yield request_id, found
            if pending and not heard and not await _comes(came):
                heard = set(pending)
    finally:
        for request_id, call in told.items():
            results.notices.unwatch(request_id, call)


async def _comes(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(LOOK_S):
            return await event.wait()
    except TimeoutError:
        return False


async def _look(results: Results, ids: list[str], scope: str) -> list[Found | ScurryError]:
    """In one write to Redis."""

    async def look(request_id: str) -> Found | ScurryError:
        try:
            return await results.look(request_id, scope)
        except ScurryError as cause:
            return cause

    return await asyncio.gather(*map(look, ids))
