"""The worker's door to parked payloads.

They lie in shared memory, or in Redis, from where many come in one round trip. An outage is waited out for a while;
what then still fails is answered with `unavailable`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from scurry.redis.address import Address
from scurry.redis.connection import Command, pack_set
from scurry.redis.link import Link
from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.inference.answers import Payload
    from scurry.inference.items import Buffer
    from scurry.wire.shared_payloads import SharedPayloads

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 24 * 3600
"""Above retention and the longest wait of a replay; the egress deletes earlier."""
PATIENCE_SECONDS: Final = 15.0
"""How long an outage of Redis is waited out."""


class Payloads(Protocol):
    """Where large payloads lie."""

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, Buffer | None]:
        """What is parked under each key. Raises `unavailable`."""
        ...

    async def park(self, payloads: Sequence[Payload]) -> None:
        """Put each payload under its key. Raises `unavailable`."""
        ...


class ParkedPayloads:
    """Payloads in Redis, and those that callers on this machine left in `shared` memory."""

    def __init__(self, redis_url: str, shared: SharedPayloads | None = None) -> None:
        self._address, self._shared = Address.parse(redis_url), shared
        self._link: Link | None = None

    async def fetch(self, keys: Sequence[str]) -> dict[str, Buffer | None]:
        """What is parked under each key: a view of shared memory, or with all the others in one MGET."""
        found: dict[str, Buffer | None] = {}
        if self._shared is not None:
            try:
                found = {key: data for key in keys if (data := self._shared.read(key)) is not None}
            except OSError as exc:
                sentence = f"What callers left in memory cannot be read: {exc.strerror}."
                log.warning(sentence)
                raise Unavailable("unavailable", sentence) from None
        away = [key for key in keys if key not in found]
        if away:
            (values,) = await self._settled([self._opened().command("MGET", *away, again=True)])
            found.update(zip(away, values, strict=True))
        return found

    async def park(self, payloads: Sequence[Payload]) -> None:
        """Put each payload under its key, in one write."""
        link, futures = self._opened(), []
        for key, data in payloads:
            stored: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            link.send(Command(pack_set(key, data, KEPT_SECONDS), stored, again=True))
            futures.append(stored)
        await self._settled(futures)

    async def close(self) -> None:
        """Let the connection go."""
        if self._link is not None:
            await self._link.close()

    def _opened(self) -> Link:
        """The connection, made when it is first needed: a worker starts without Redis too."""
        if self._link is None:
            self._link = Link(self._address)
            self._link.start()
        return self._link

    async def _settled(self, futures: Sequence[asyncio.Future[Any]]) -> list[Any]:
        """Every answer. Raises `unavailable`; then nobody waits for the others either."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.gather(*futures)
        except TimeoutError:
            sentence = f"The payload store, Redis at {self._address}, cannot be reached."
            log.warning(sentence)
            raise Unavailable("unavailable", sentence) from None

    def __repr__(self) -> str:
        return f"<ParkedPayloads over {self._link!r}, {self._shared!r}>"
