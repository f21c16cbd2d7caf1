"""Streams in Redis and how far the job has read them, as figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from scurry.telemetry.prometheus import Figure
from scurry.wire.errors import ScurryError
from scurry.wire.names import Keys

GROUP: Final = b"scurry-job"
"""The group by which the job shows where it stands; nobody reads with it."""
LENGTH: Final = "Entries of a stream, those included that the job has read and not trimmed yet"
LAG: Final = "Entries that no completed checkpoint of the job covers; Redis 7 and later"


class CommandClient(Protocol):
    """What it takes to look."""

    keys: Keys

    @property
    def partitions(self) -> int:
        """How many request streams there are."""
        ...

    async def command(self, *words: str | bytes | int) -> Any:  # noqa: ANN401 - Redis' answer
        """Any command to Redis. Raises `ScurryError`."""
        ...

    async def job(self) -> dict[str, str]:
        """What the job wrote down of itself. Raises `ScurryError`."""
        ...


class Queues:
    """The request streams, bulk, and the dead letters."""

    def __init__(self, client: CommandClient) -> None:
        self._client = client

    async def figures(self) -> list[Figure]:
        """As they are now; of what Redis does not tell, nothing."""
        keys, count = self._client.keys, self._client.partitions
        read = [keys.bulk, *({f"{keys.namespace}:requests:{at}" for at in range(count)} if count > 1 else
                             {f"{keys.namespace}:requests"})]  # fmt: skip
        try:
            lengths = await asyncio.gather(*(self._client.command("XLEN", each) for each in (*read, keys.dead)))
            lags = await asyncio.gather(*(self._lag(each) for each in read))
            job = await self._client.job()
        except ScurryError:
            return []
        streams = (*read, keys.dead)
        found = [_figure("length", LENGTH, key, int(told)) for key, told in zip(streams, lengths, strict=True)]
        found += [_figure("lag", LAG, key, lag) for key, lag in zip(read, lags, strict=True) if lag is not None]
        restarts = int(job.get("restarts", 0))
        return [*found, Figure("scurry_job_restarts_total", "counter", "Restarts of the job", restarts)]

    async def _lag(self, stream: str) -> int | None:
        try:
            groups = await self._client.command("XINFO", "GROUPS", stream)
        except ScurryError:
            return None  # there is no such stream yet
        return lag_of([dict(zip(each[::2], each[1::2], strict=True)) for each in groups])

    def __repr__(self) -> str:
        return f"<Queues of {self._client.keys.namespace}>"


def lag_of(groups: Iterable[Mapping[bytes, Any]]) -> int | None:
    """What Redis says of the job's place; None where it does not."""
    for group in groups:
        if group.get(b"name") == GROUP and isinstance(group.get(b"lag"), int):
            return int(group[b"lag"])
    return None


def _figure(noun: str, meaning: str, key: str, value: int) -> Figure:
    return Figure(f"scurry_stream_{noun}", "gauge", meaning, value, (("stream", key),))
