"""The worker's door to Redis: parked payloads, many in one round trip.

An outage is waited out for a while; what then still fails is answered with `unavailable`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, RedisError, TimeoutError  # noqa: A004

from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from scurry.inference.answers import Payload

    Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 24 * 3600
"""Above retention and the longest wait of a replay; the egress deletes earlier."""
WAITS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds between tries while Redis is away."""
SILENT_SECONDS: Final = 15
"""A Redis that says nothing for so long counts as away."""
READ_BYTES: Final = 1 << 20
"""Large reads: a payload of 600 KB costs 0.3 ms of CPU, in redis-py's own pieces of 64 KiB 0.7 ms (measured)."""
AWAY: Final = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError)


class Payloads(Protocol):
    """Where large payloads lie."""

    async def fetch(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """What is parked under each key. Raises `unavailable`."""
        ...

    async def park(self, payloads: Sequence[Payload]) -> None:
        """Put each payload under its key. Raises `unavailable`."""
        ...


class RedisPayloads:
    """Payloads in Redis."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_keepalive=True,
            socket_connect_timeout=5,
            socket_timeout=SILENT_SECONDS,
            socket_read_size=READ_BYTES,
        )

    async def fetch(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """What is parked under each key, in one MGET."""
        values: list[Any] = await self._patiently(lambda: self._redis.mget(keys))
        return dict(zip(keys, values, strict=True))

    async def park(self, payloads: Sequence[Payload]) -> None:
        """Put each payload under its key, in one pipeline."""

        async def write() -> None:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key, data in payloads:
                    pipe.set(key, data, ex=KEPT_SECONDS)
                await pipe.execute()

        await self._patiently(write)

    async def close(self) -> None:
        """Let the connections go."""
        await self._redis.aclose()

    async def _patiently(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        for wait in (*WAITS, None):
            try:
                return await ask()
            except AWAY as cause:
                if wait is None:
                    raise Unavailable("unavailable", f"The payload store cannot be reached: {cause}.") from cause
                log.warning("payload store is away (%s), trying again in %.2f s", cause, wait)
                await asyncio.sleep(wait)
            except RedisError as cause:
                raise Unavailable("unavailable", f"The payload store refused: {cause}.") from cause
        raise AssertionError("the last wait is None")

    def __repr__(self) -> str:
        return "<RedisPayloads>"
