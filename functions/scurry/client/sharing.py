"""Payloads left in memory that the workers share with this client.

Redis tells of a folder; it is used if it is on this machine.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from scurry.redis.connection import Command, pack
from scurry.redis.link import Link
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import OwnPayloads, found

AGAIN_S: Final = 5.0
"""A folder that was lost is asked for again after this time."""

log = logging.getLogger(__name__)


class Sharing:
    """What this client leaves where workers on its machine find it; Redis takes what cannot be left there."""

    def __init__(self, link: Link, keys: Keys, client: str) -> None:
        self._link, self._keys, self._client = link, keys, client
        self._own: OwnPayloads | None = None
        self._closed = False

    def ask(self) -> None:
        """Ask Redis whether there is a folder."""
        if not self._closed:
            self._link.send(Command(pack("GET", self._keys.shared_payloads), again=True, then=self._told))

    def leave(self, key: str, data: bytes | memoryview) -> bool:
        """Write a payload; False when it has to go to Redis."""
        if self._own is None:
            return False
        try:
            return self._own.put(key, data)
        except FileNotFoundError:
            log.warning("payloads go to Redis: %r is gone", self._own)
            self._forget()
            asyncio.get_running_loop().call_later(AGAIN_S, self.ask)
            return False

    def remove(self, keys: list[str]) -> None:
        """Nobody waits for what these were left for any more."""
        if self._own is not None:
            for key in keys:
                self._own.remove(key)

    def close(self) -> None:
        """Remove everything."""
        self._closed = True
        self._forget()

    def _told(self, answer: object) -> None:
        folder = found(answer) if isinstance(answer, bytes) and not self._closed else None
        if folder is not None and self._own is None:
            try:
                self._own = OwnPayloads(folder, self._client)
            except OSError as exc:
                log.warning("payloads go to Redis: %s cannot be used: %s", folder, exc.strerror)

    def _forget(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def __repr__(self) -> str:
        return f"<Sharing {self._own!r}>"
