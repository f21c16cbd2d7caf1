"""A connection to Redis that goes on by itself after what passes.

It outlives a restart, a fail-over and the move of its keys to another node of a cluster. All keys of a namespace share
one slot there (`{scurry}`), so that one node at a time is enough: `MOVED` says which.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any, Final

from scurry.redis.address import Address
from scurry.redis.connection import Command, Connection, pack
from scurry.redis.dial import Dial
from scurry.redis.outbox import Outbox
from scurry.redis.refusal import Refusal
from scurry.wire.errors import Unavailable

LEAVE_S: Final = 1.0

_log = logging.getLogger(__name__)


class Link:
    """Commands out in piles, answers in order. What one turn of the event loop sends leaves in one write."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._dial = Dial(address, self._lost, self._refusal, self._taken)
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._outbox = Outbox()
        self._flushing = False
        self._closed = False
        self._asked = _AskedNodes(address)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection just now."""
        return self._connection is not None

    async def open(self) -> None:
        """Connect. Raises `Unavailable` when there is no Redis."""
        try:
            self._use(await self._dial.once())
        except OSError as exc:
            self._closed = True
            raise Unavailable("unavailable", f"Redis at {self.address} cannot be reached: {_reason(exc)}.") from None

    def start(self) -> None:
        """Connect in the background, however long it takes."""
        if self._connecting is None:
            self._connecting = self._loop.create_task(self._reconnect(0.0))

    async def close(self, *last: Command) -> None:
        """Send `last`, wait a moment for its answer, close."""
        if self._closed:
            return
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        await self._asked.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.write((*self._outbox.take(), *last))
            if last:
                await connection.settle(LEAVE_S)
            connection.close()
        await asyncio.sleep(0)

    def send(self, command: Command) -> None:
        """Send a command with this turn's pile; while Redis is away it waits if it may, else it fails."""
        if self._connection is None and not command.again:
            command.fail(Unavailable("unavailable", f"Redis at {self.address} cannot be reached."))
        else:
            self.queue(command)

    def command(self, *words: str | bytes | int, again: bool = False) -> asyncio.Future[Any]:
        """Send one command; the future gets Redis' answer, or `Unavailable`."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self.send(Command(pack(*words), future, again=again))
        return future

    def queue(self, command: Command) -> None:
        """Send a command as soon as there is a connection."""
        self._outbox.add(command)
        if self._connection is not None and not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._connection is not None and self._outbox:
            self._connection.write(self._outbox.take())

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self._outbox.return_first(())
        self._flush()

    async def _reconnect(self, delay: float) -> None:
        self._use(await self._dial.patiently(delay))
        _log.info("connected to Redis at %s", self._dial.node)

    def _lost(self, connection: Connection, exc: Exception | None) -> None:
        """A connection is gone: what it owes is sent again where that is allowed and wanted."""
        for command in connection.unanswered:
            if not command.again:
                command.fail(Unavailable("unavailable", f"Redis at {self.address} was lost."))
        self._outbox.return_first(command for command in connection.unanswered if command.again)
        if connection is self._connection:
            _log.warning("lost Redis at %s: %s", self._dial.node, exc or "it closed the connection")
            self._leave(connection, 0.0)
        else:
            self._flush()

    def _taken(self, connection: Connection, command: Command, text: str) -> bool:
        """Whether a refused command is sent again, elsewhere or later."""
        refusal = Refusal.parse(text)
        if not refusal.passes or self._closed or not connection.greeted:
            return False
        if refusal.asks:
            self._asked.send(command, refusal.node)
            return True
        if command.wanted:
            self.queue(command)
        if connection is self._connection:
            self._leave(connection, self._dial.follow(refusal))
        return True

    def _leave(self, connection: Connection, delay: float) -> None:
        self._connection = None
        connection.retire()
        self._connecting = self._loop.create_task(self._reconnect(delay))

    def _refusal(self, text: str) -> Exception:
        return Unavailable("unavailable", f"Redis at {self.address} refused: {text}.")

    def __repr__(self) -> str:
        state = "closed" if self._closed else "connected" if self._connection else "reconnecting"
        return f"<Link {self.address} {state}, {len(self._outbox)} unsent>"


class _AskedNodes:
    """Nodes that a slot is moving to: single commands go there, the next may be served by the old one still."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._links: dict[str, Link] = {}

    def send(self, command: Command, node: str) -> None:
        """Send one command to that node."""
        link = self._links.get(node)
        if link is None:
            link = self._links[node] = Link(self._address.node(node))
            link.start()
        link.queue(Command(pack("ASKING"), again=True, then=_unheard))
        link.queue(command)

    async def close(self) -> None:
        """Close what was opened."""
        for link in self._links.values():
            await link.close()


def _reason(exc: OSError) -> str:
    return os.strerror(exc.errno) if exc.errno else str(exc) or type(exc).__name__


def _unheard(_answer: object) -> None:
    """Nobody needs to know."""
