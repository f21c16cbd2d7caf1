"""Who is told when something comes of an id, by one stream for all.

Replies to requests that nobody waits for go to a reply stream that every gateway reads, while somebody there waits.
Entries are notices only: what was answered stands under the id, so nothing is lost with an entry that nobody saw.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from scurry.client.session import PATIENCE_S, Session
from scurry.redis import connection
from scurry.redis.connection import Command, pack
from scurry.redis.link import Link
from scurry.wire.errors import Unavailable

READ_COUNT: Final = 1000
BLOCK_S: Final = 5.0
RETRY_S: Final = 1.0
KEPT_S: Final = 30.0
"""Notices older than this are trimmed: a reader that was away for longer learns at the end of its wait."""
TRIM_S: Final = 1.0

Told = Callable[[], object]

_log = logging.getLogger(__name__)


class Notices:
    """Reads the stream while anybody watches."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stream = session.keys.notices
        self._watchers: dict[str, list[Told]] = {}
        self._link: Link | None = None
        self._opening: asyncio.Task[None] | None = None
        self._last = b""  # read up to there; empty: not reading
        self._trimmed_at = 0.0

    async def watch(self, request_id: str, told: Told) -> None:
        """Call `told` for whatever comes of an id from now on. Raises `Unavailable`; `unwatch` all the same."""
        self._watchers.setdefault(request_id, []).append(told)
        if self._last:
            return
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._begin())
            self._opening.add_done_callback(_unheard)
        await asyncio.shield(self._opening)

    def unwatch(self, request_id: str, told: Told) -> None:
        """Call it no more."""
        watchers = self._watchers.get(request_id, [])
        if told in watchers:
            watchers.remove(told)
        if not watchers:
            self._watchers.pop(request_id, None)

    async def close(self) -> None:
        """Read no more."""
        self._last = b""
        if self._opening is not None:
            self._opening.cancel()
        if self._link is not None:
            await self._link.close()

    async def _begin(self) -> None:
        """Know where the stream ends: what comes later is seen."""
        if self._link is None:
            self._link = Link(self._session.streams.address)
            self._link.start()
        asked = self._link.command("XREVRANGE", self._stream, "+", "-", "COUNT", 1, again=True)
        try:
            async with asyncio.timeout(PATIENCE_S):
                newest = await asked
        except TimeoutError:
            raise Unavailable("unavailable", f"Redis at {self._link.address} does not answer.") from None
        self._last = newest[0][0] if newest else b"0-0"
        self._read_on()

    def _read_on(self) -> None:
        assert self._link is not None
        if not self._watchers:
            self._last = b""  # the next one to watch begins anew
            return
        words = ("XREAD", "COUNT", READ_COUNT, "BLOCK", int(BLOCK_S * 1000), "STREAMS", self._stream, self._last)
        self._link.send(Command(pack(*words), again=True, then=self._read, patience=BLOCK_S + connection.ANSWER_S))

    def _read(self, answer: Any) -> None:  # noqa: ANN401 - whatever Redis answers
        if not self._last:
            return
        if isinstance(answer, Exception):
            _log.warning("cannot read what was answered: %s", answer)
            asyncio.get_running_loop().call_later(RETRY_S, self._read_on)
            return
        entries = answer[0][1] if answer else ()
        for _, flat in entries:
            for told in tuple(self._watchers.get(_id_in(flat), ())):
                told()
        if entries:
            self._last = entries[-1][0]
            self.trim(self._last)
        self._read_on()

    def trim(self, now: bytes) -> None:
        """Drop what is old, every so often; `now` is an entry id of Redis' own clock.

        Also done by who only sends: where nobody waits, nobody reads, and notices carry whole replies.
        """
        if time.monotonic() - self._trimmed_at > TRIM_S:
            self._trimmed_at = time.monotonic()
            oldest = int(now.partition(b"-")[0]) - int(KEPT_S * 1000)
            asked = self._session.streams.command("XTRIM", self._stream, "MINID", "~", max(oldest, 0))
            asked.add_done_callback(_unheard)

    def __repr__(self) -> str:
        state = "reading" if self._last else "idle"
        return f"<Notices {state}, {len(self._watchers)} ids watched>"


def _unheard(answer: asyncio.Future[Any]) -> None:
    """Who waits for it is told; who does not tries again."""
    if not answer.cancelled():
        answer.exception()


def _id_in(flat: list[bytes]) -> str:
    """The id that an entry names; the job writes it first."""
    if flat[:1] == [b"id"]:
        return flat[1].decode(errors="replace")
    return dict(zip(flat[::2], flat[1::2], strict=True)).get(b"id", b"").decode(errors="replace")
