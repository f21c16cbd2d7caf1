"""A model's statistics as they are now, again every second.

Whoever follows the same model shares one reading of the registry's view and its JSON.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any, Final

import orjson

from scurry.gateway.describe import Record
from scurry.gateway.models import Models

EVERY_S: Final = 1.0
COUNTED: Final = (
    "version", "state", "requests", "ok", "errors", "refused", "busy_ms", "latency_ms", "batch_sizes",
    "stage_micros", "failed_ms", "last_inference", "cache",
)  # fmt: skip


class LiveStatistics:
    """Readings for all who follow."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._next: dict[str, asyncio.Task[bytes]] = {}

    async def now(self, model: str) -> bytes:
        """What is known, not older than a second. Raises `ScurryError`."""
        return orjson.dumps(statistics(model, await self._models.record(model)))

    async def next(self, model: str) -> bytes:
        """The next reading, with whoever else waits for it. Raises `ScurryError`."""
        task = self._next.get(model)
        if task is None or task.done():  # one that is done is a reading that was: whoever got it again would spin
            task = self._next[model] = asyncio.get_running_loop().create_task(self._read(model))
            task.add_done_callback(partial(self._forget, model))
        return await asyncio.shield(task)

    def _forget(self, model: str, task: asyncio.Task[bytes]) -> None:
        if self._next.get(model) is task:
            del self._next[model]
        if not task.cancelled():
            task.exception()  # told to those who still wait

    async def _read(self, model: str) -> bytes:
        await asyncio.sleep(EVERY_S)
        return await self.now(model)

    def __repr__(self) -> str:
        return f"<LiveStatistics of {len(self._next)} models>"


def statistics(model: str, record: Record) -> dict[str, Any]:
    """A model's counters: those of each version, and what found none. They only grow; `at` is epoch milliseconds."""
    versions: list[Record] = list(record.get("versions", ()))
    return {
        "model": model,
        "at": int(time.time() * 1000),
        "versions": [{name: one[name] for name in COUNTED if name in one} for one in versions],
        "unrouted": record.get("unrouted") or {},
    }
