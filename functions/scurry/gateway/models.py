"""The registry's view: one record or all, not older than a second.

Only metadata is answered from it. Whether a model answers a request is decided by the job alone, which is also asked
when the view lacks a name: somebody may have emptied Redis under a model that serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Protocol, TypeVar

from scurry.gateway.ask import ProbingClient
from scurry.gateway.describe import Record
from scurry.wire.errors import NotFound, ScurryError, error
from scurry.wire.infer_pb2 import InferRequest

T = TypeVar("T")

FRESH_S: Final = 1.0
PROBE_S: Final = 3.0
REMEMBERED: Final = 4096
"""Records that are kept, for a moment when the view is empty."""
UNKNOWN: Final = frozenset({"model_not_found", "version_not_found"})
SILENT: Final = frozenset({"deadline_exceeded", "unavailable", "overloaded"})


class RecordsClient(ProbingClient, Protocol):
    """What `Models` needs of `scurry.client.client.Client`."""

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        """Every model's record, or a page of them."""
        ...

    async def record(self, model: str) -> dict[str, Any] | None:
        """One model's record; None when the view has none."""
        ...


class Models:
    """Records as the view shows them; those who want the same at the same time share one reading."""

    def __init__(self, client: RecordsClient) -> None:
        self._client = client
        self._known: dict[str, tuple[Record, float]] = {}
        self._all: tuple[dict[str, dict[str, Any]], float] = ({}, float("-inf"))
        self._reading: dict[str, asyncio.Task[Any]] = {}

    async def records(self) -> dict[str, dict[str, Any]]:
        """Every model's record. Raises `Unavailable`."""
        if self._now() - self._all[1] > FRESH_S:
            await self._shared("", self._read_all())
        return self._all[0]

    async def page(self, limit: int, after: str) -> dict[str, dict[str, Any]]:
        """So many records after a name, in the order of names. Raises `Unavailable`."""
        return await self._client.models(limit=limit, after=after)

    async def record(self, model: str, *, fresh: bool = False) -> Record:
        """One model's record, `fresh` as it is now. Raises `NotFound` or `Unavailable`."""
        known, at = self._known.get(model, ({}, float("-inf")))
        if fresh or self._now() - at > FRESH_S:
            known = await self._shared(model, self._read(model))
        return known

    async def _read_all(self) -> None:
        self._all = (await self._client.models(), self._now())

    async def _read(self, model: str) -> Record:
        """Cases: 1. the view has it; 2. the job does not know it either; 3. it serves, the view is being rebuilt."""
        record = await self._client.record(model)
        if record is not None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[model] = (record, self._now())
            return record
        if not await self._serves(model):
            self._known.pop(model, None)
            raise NotFound("model_not_found", f"No model is called {model!r}.")
        if model in self._known:
            return self._known[model][0]
        raise error("unavailable", f"What there is to say about {model!r} is being collected: try again in a moment.")

    async def _serves(self, model: str) -> bool:
        """Whether the job knows the model: it answers a request without inputs with anything but that it does not."""
        try:
            await self._client.ask(model, InferRequest(), timeout=PROBE_S)
        except ScurryError as cause:
            if cause.code in SILENT:
                raise
            return cause.code not in UNKNOWN
        return True

    async def _shared(self, name: str, reading: Coroutine[Any, Any, T]) -> T:
        """Share a reading with those who want the same; the latecomer's own is not begun."""
        if name in self._reading:
            reading.close()
        else:
            task = self._reading[name] = asyncio.create_task(reading)
            task.add_done_callback(lambda _: self._reading.pop(name))
        shared: T = await asyncio.shield(self._reading[name])
        return shared

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def __repr__(self) -> str:
        return f"<Models {len(self._known)} known>"
