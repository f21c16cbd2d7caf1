"""One loop that reads every reply to this client and trims them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import hiredis

from scurry.client.connection import Command, Connection, pack
from scurry.client.waiting import Waiting

READ_COUNT: Final = 2000
BLOCK_S: Final = 5.0
SILENCE_S: Final = 12.0

_log = logging.getLogger(__name__)


class Replies:
    """The reading side: from the reply stream into the futures that wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stream: str, waiting: Waiting) -> None:
        self.stream = stream
        self._loop = loop
        self._waiting = waiting
        self.link: Connection | None = None
        self._last = b"0-0"
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def start(self, link: Connection) -> None:
        """Read on over this connection, from where the last one stopped."""
        self.link = link
        self._heard = self._loop.time()
        self._watch = self._loop.call_later(SILENCE_S, self._check_silence)
        self._read_on(trim=False)

    def stop(self) -> None:
        """Read no more."""
        if self._watch is not None:
            self._watch.cancel()
        if self.link is not None:
            link, self.link = self.link, None
            link.close()

    def _read_on(self, *, trim: bool) -> None:
        """Forget what was read and wait for more, in one write."""
        if self.link is None:
            return
        words = ("XREAD", "COUNT", READ_COUNT, "BLOCK", int(BLOCK_S * 1000), "STREAMS", self.stream, self._last)
        read = Command(pack(*words), then=self._read)
        if trim:
            self.link.write((Command(pack("XTRIM", self.stream, "MINID", after(self._last))), read))
        else:
            self.link.write((read,))

    def _read(self, answer: Any) -> None:  # noqa: ANN401 - whatever Redis answers
        self._heard = self._loop.time()
        if isinstance(answer, hiredis.ReplyError):
            _log.warning("cannot read replies: %s", answer)
            self._drop()
            return
        resolve = self._waiting.resolve
        entries = answer[0][1] if answer else ()
        for _, flat in entries:
            resolve(dict(zip(flat[::2], flat[1::2], strict=True)))
        if entries:
            self._last = entries[-1][0]
        self._read_on(trim=bool(entries))

    def _check_silence(self) -> None:
        """A blocked read returns every few seconds: if it does not, the connection is dead."""
        if self._loop.time() - self._heard > SILENCE_S:
            _log.warning("Redis is silent")
            self._drop()
        else:
            self._watch = self._loop.call_later(SILENCE_S / 2, self._check_silence)

    def _drop(self) -> None:
        if self.link is not None:
            self.link.close()

    def __repr__(self) -> str:
        return f"<Replies {self.stream} read up to {self._last.decode()}>"


def after(entry_id: bytes) -> bytes:
    """The smallest entry id above this one."""
    ms, _, number = entry_id.partition(b"-")
    return b"%b-%d" % (ms, int(number) + 1)
