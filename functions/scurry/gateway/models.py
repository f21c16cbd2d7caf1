"""The registry's view, read at most once a second.

Only metadata is answered from it. Whether a model answers a request is decided by the job alone.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from scurry.gateway.describe import Record
from scurry.wire.errors import NotFound

FRESH_S: Final = 1.0


class RecordsClient(Protocol):
    """What `Models` needs of `scurry.client.client.Client`."""

    async def models(self) -> dict[str, dict[str, Any]]:
        """Every model's record."""
        ...


class Models:
    """Every model's record, not older than a second; a name that is missing is looked up again at once."""

    def __init__(self, client: RecordsClient) -> None:
        self._client = client
        self._records: dict[str, dict[str, Any]] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def records(self) -> dict[str, dict[str, Any]]:
        """Every model's record. Raises `Unavailable`."""
        if asyncio.get_running_loop().time() - self._read_at > FRESH_S:
            await self._read()
        return self._records

    async def record(self, model: str) -> Record:
        """One model's record. Raises `NotFound` or `Unavailable`."""
        record = (await self.records()).get(model)
        if record is None:
            await self._read()
            record = self._records.get(model)
        if record is None:
            raise NotFound("model_not_found", f"No model is called {model!r}.")
        return record

    async def _read(self) -> None:
        """Read the view; those who want it at the same time share one reading."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._fetch())
        await asyncio.shield(self._reading)

    async def _fetch(self) -> None:
        try:
            self._records = await self._client.models()
            self._read_at = asyncio.get_running_loop().time()
        finally:
            self._reading = None

    def __repr__(self) -> str:
        return f"<Models {len(self._records)} models>"
