"""Connecting to Redis: once, or until it is there."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from scurry.redis.address import Address
from scurry.redis.connection import Connection, Lost, Taken, connect
from scurry.redis.refusal import Refusal
from scurry.wire.errors import ScurryError

BACK_OFF_S: Final = (0.05, 2.0)
PAUSE_S: Final = 0.2
MOVES: Final = 5
"""So many moves in a row are a sign of keys that lie on several nodes."""

_log = logging.getLogger(__name__)


class Dial:
    """The node to connect to: the one our keys are on, or by turns the one we were told at first."""

    def __init__(self, address: Address, lost: Lost, failed: Callable[[str], Exception], taken: Taken) -> None:
        self.address = address
        self.node = address
        self._moves, self._moved_at = 0, 0.0
        self._callbacks = (lost, failed, taken)

    async def once(self) -> Connection:
        """A connection. Raises `OSError`, or what `failed` makes of a refusal."""
        connection = await connect(self.node, *self._callbacks)
        if not connection.open:
            raise ConnectionResetError("it closed the connection")
        return connection

    async def patiently(self, delay: float) -> Connection:
        """A connection, after `delay` and however many tries."""
        shortest, longest = BACK_OFF_S
        node = self.node
        while True:
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(max(delay * 2, shortest), longest)
            try:
                return await self.once()
            except (OSError, ScurryError) as exc:
                _log.debug("Redis at %s: %s", self.node, exc)
                self.node = self.address if self.node is node else node

    def follow(self, refusal: Refusal) -> float:
        """Turn to where a refusal points, or back to the first address; returns how long to wait before."""
        now = asyncio.get_running_loop().time()
        self._moves = self._moves + 1 if now - self._moved_at < 1 else 1
        self._moved_at = now
        if self._moves > MOVES:
            _log.warning("Redis at %s: %s (on a cluster, write the namespace in braces)", self.node, refusal.text)
        self.node = self.address.node(refusal.node) if refusal.node else self.address
        return 0.0 if refusal.node and self._moves <= MOVES else PAUSE_S

    def __repr__(self) -> str:
        return f"<Dial {self.node}>"
