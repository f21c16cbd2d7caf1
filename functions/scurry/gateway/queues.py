"""Streams in Redis and how far the job has read them, as figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from scurry.telemetry.prometheus import Figure
from scurry.wire.errors import ScurryError
from scurry.wire.names import Keys

GROUP: Final = b"scurry-job"
"""The group by which the job shows where it stands; nobody reads with it."""
LENGTH: Final = "Entries of a stream, those included that the job has read and not trimmed yet"
LAG: Final = "Entries that no completed checkpoint of the job covers; Redis 7 and later"


NOTES: Final = (
    ("started", "scurry_job_started_timestamp_seconds", "When the job last began, by the Unix clock", 1000),
    ("checkpoint", "scurry_job_checkpoint_timestamp_seconds", "When a checkpoint last completed", 1000),
    ("memory", "scurry_redis_memory_bytes", "Memory that Redis took at the last checkpoint", 1),
    ("most_memory", "scurry_redis_most_memory_bytes", "Memory that it may take: maxmemory, else its machine's", 1),
)
"""Of the job's notes: field, figure, meaning, and how many of its units are one of the figure's."""


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
        found = [_figure("scurry_stream_length", LENGTH, key, told) for key, told in zip(streams, lengths, strict=True)]
        found += [_figure("scurry_stream_lag", LAG, key, lag) for key, lag in zip(read, lags, strict=True)
                  if lag is not None]  # fmt: skip
        return [*found, *job_figures(job)]

    async def _lag(self, stream: str) -> int | None:
        try:
            groups = await self._client.command("XINFO", "GROUPS", stream)
        except ScurryError:
            return None  # there is no such stream yet
        return lag_of([dict(zip(each[::2], each[1::2], strict=True)) for each in groups])

    def __repr__(self) -> str:
        return f"<Queues of {self._client.keys.namespace}>"


def job_figures(job: Mapping[str, str]) -> Iterator[Figure]:
    """What the job wrote down of itself and of Redis, with each completed checkpoint; what it has not is left out."""
    yield Figure("scurry_job_restarts_total", "counter", "Restarts of the job", _whole(job, "restarts"))
    missed = "Times that entries were missing which the job had not read"
    yield Figure("scurry_job_gaps_total", "counter", missed, _whole(job, "gaps"))
    for field, name, meaning, parts in NOTES:
        if job.get(field):
            yield Figure(name, "gauge", meaning, _whole(job, field) / parts)


def _whole(job: Mapping[str, str], field: str) -> int:
    text = job.get(field, "")
    return int(text) if text.isdecimal() else 0


def lag_of(groups: Iterable[Mapping[bytes, Any]]) -> int | None:
    """What Redis says of the job's place; None where it does not."""
    for group in groups:
        if group.get(b"name") == GROUP and isinstance(group.get(b"lag"), int):
            return int(group[b"lag"])
    return None


def _figure(name: str, meaning: str, key: str, value: int) -> Figure:
    return Figure(name, "gauge", meaning, value, (("stream", key),))
