"""One loop that reads every reply to this client and trims them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from scurry.client.waiting import ENTRY, Waiting
from scurry.redis import connection
from scurry.redis.address import Address
from scurry.redis.connection import Command, pack
from scurry.redis.link import Link

READ_COUNT: Final = 2000
BLOCK_S: Final = 5.0
RETRY_S: Final = 1.0

_log = logging.getLogger(__name__)


class Replies:
    """The reading side: from the reply stream into the futures that wait.

    A read is a command like any other: after a lost connection the link sends it again.
    """

    def __init__(self, address: Address, stream: str, waiting: Waiting) -> None:
        self.stream = stream
        self.stamps = False  # whether the fields of a reply tell its entry's id
        self._link = Link(address)
        self._loop = asyncio.get_running_loop()
        self._waiting = waiting
        self._last = b"0-0"
        self._closed = False

    async def open(self) -> None:
        """Connect and read. Raises `Unavailable`."""
        await self._link.open()
        self._read_on()

    async def close(self) -> None:
        """Read no more."""
        self._closed = True
        await self._link.close()

    def _read_on(self) -> None:
        words = ("XREAD", "COUNT", READ_COUNT, "BLOCK", int(BLOCK_S * 1000), "STREAMS", self.stream, self._last)
        self._link.send(Command(pack(*words), again=True, then=self._read, patience=BLOCK_S + connection.ANSWER_S))

    def _read(self, answer: Any) -> None:  # noqa: ANN401 - whatever Redis answers
        """Resolve who waits, forget what was read and wait for more, in one write."""
        if self._closed:
            return
        if isinstance(answer, Exception):
            _log.warning("cannot read replies: %s", answer)
            self._loop.call_later(RETRY_S, self._read_on)
            return
        resolve = self._waiting.resolve
        entries = answer[0][1] if answer else ()
        for entry, flat in entries:
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            if self.stamps:
                fields[ENTRY] = entry
            resolve(fields)
        if entries:
            self._last = entries[-1][0]
            self._link.send(Command(pack("XTRIM", self.stream, "MINID", after(self._last))))
        self._read_on()

    def __repr__(self) -> str:
        return f"<Replies {self.stream} read up to {self._last.decode()}>"


def after(entry_id: bytes) -> bytes:
    """The smallest entry id above this one."""
    ms, _, number = entry_id.partition(b"-")
    return b"%b-%d" % (ms, int(number) + 1)
