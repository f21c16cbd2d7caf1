"""The one door to Redis: requests out in piles, replies in by one loop."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Sequence
from typing import Any, Final

from scurry.client.address import Address
from scurry.client.connection import Command, Connection, connect, pack, pack_set
from scurry.client.replies import Replies
from scurry.client.waiting import Fields, Waiting
from scurry.wire.errors import ScurryError, Unavailable
from scurry.wire.names import Keys

PARKED_S: Final = 24 * 3600
PARTITIONS_S: Final = 5.0
BACK_OFF_S: Final = (0.05, 2.0)
UNSENT: Final = 256
"""From so many unsent commands on, those that nobody waits for any more are dropped."""

_log = logging.getLogger(__name__)


class Streams:
    """Requests of this client and the replies to them.

    What one turn of the event loop sends leaves in one write. After a lost connection, what Redis has not confirmed and
    somebody still waits for is sent again: the job answers a repeated id once.
    """

    def __init__(self, url: str, keys: Keys, name: str) -> None:
        self.address = Address.parse(url)
        self.keys = keys
        self.partitions = 1
        self._loop = asyncio.get_running_loop()
        self._waiting = Waiting(self._loop, self._overdue)
        self._replies = Replies(self._loop, keys.replies(name), self._waiting)
        self._link: Connection | None = None
        self._out: list[Command] = []
        self._flushing = False
        self._closed = False
        self._reconnecting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect. Raises `Unavailable` when there is no Redis."""
        try:
            await self._connect()
            await self.command("PING")  # after the number of partitions has come
        except OSError as exc:
            self._closed = True
            reason = os.strerror(exc.errno) if exc.errno else str(exc) or type(exc).__name__
            raise Unavailable("unavailable", f"Redis at {self.address} cannot be reached: {reason}.") from None

    async def close(self) -> None:
        """Fail who waits, remove the reply stream, close the connections."""
        if self._closed:
            return
        self._closed = True
        self._waiting.fail(lambda id_: Unavailable("unavailable", f"The client was closed before {id_} was answered."))
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._replies.stop()
        if self._link is not None:
            await self._leave(self._link)
            self._link.close()
            self._link = None
        await asyncio.sleep(0)

    def request(
        self,
        model: str,
        fields: Sequence[str | bytes],
        request_id: str,
        timeout: float,
        parked: Sequence[tuple[str, bytes]] = (),
    ) -> asyncio.Future[Fields]:
        """Send one request; the future gets the fields of its reply. `parked` are payloads under their keys."""
        joined = self._waiting.join(request_id)
        if joined is not None:
            return joined
        future = self._waiting.add(request_id, timeout)
        for key, payload in parked:
            self._send(Command(pack_set(key, payload, PARKED_S), future, quiet=True))
        stream = self.keys.requests(model, self.partitions)
        words = ("XADD", stream, "*", *fields, "id", request_id, "reply", self._replies.stream)
        self._send(Command(pack(*words), future, quiet=True))
        return future

    def command(self, *words: str | bytes | int) -> asyncio.Future[Any]:
        """Send any other command; the future gets Redis' answer, or `Unavailable`."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._link is None:
            future.set_exception(Unavailable("unavailable", f"Redis at {self.address} cannot be reached."))
        else:
            self._send(Command(pack(*words), future))
        return future

    def forget(self, *keys: str) -> None:
        """Delete keys without waiting for it."""
        if keys and self._link is not None:
            self._send(Command(pack("UNLINK", *keys)))

    def _send(self, command: Command) -> None:
        self._out.append(command)
        if self._link is None:
            if len(self._out) % UNSENT == 0:
                self._out = [command for command in self._out if command.wanted]
        elif not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._link is not None:
            out, self._out = self._out, []
            self._link.write(out)

    async def _connect(self) -> None:
        link = await connect(self.address, self._lost, self._refused)
        try:
            reading = await connect(self.address, self._lost, self._refused)
            if not link.open:
                reading.close()
                raise ConnectionResetError("it closed the connection")
        except BaseException:
            link.close()
            raise
        self._link = link
        self._ask_partitions()
        self._out = [command for command in self._out if command.wanted or command.then]
        self._flush()
        self._replies.start(reading)

    def _ask_partitions(self) -> None:
        if self._link is not None:
            self._send(Command(pack("GET", self.keys.partitions), then=self._set_partitions))

    def _set_partitions(self, answer: object) -> None:
        """The number is written once, maybe after us: look again until it is there."""
        if isinstance(answer, bytes):
            self.partitions = int(answer)
        elif not self._closed:
            self._loop.call_later(PARTITIONS_S, self._ask_partitions)

    def _lost(self, link: Connection, exc: Exception | None) -> None:
        """One connection is gone: drop the other as well and start over."""
        if self._closed or self._link is None or link not in (self._link, self._replies.link):
            return
        requests, self._link = self._link, None
        self._replies.stop()
        requests.close()
        for command in requests.unanswered:
            if command.future is not None and not command.quiet and not command.future.done():
                command.future.set_exception(Unavailable("unavailable", f"Redis at {self.address} was lost."))
        self._out = [command for command in (*requests.unanswered, *self._out) if command.wanted]
        _log.warning("lost Redis at %s: %s", self.address, exc or "it closed the connection")
        self._reconnecting = self._loop.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        delay, longest = BACK_OFF_S
        while not self._closed:
            try:
                await self._connect()
                _log.warning("Redis at %s is back", self.address)
                return
            except (OSError, ScurryError) as exc:
                _log.debug("Redis at %s: %s", self.address, exc)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(delay * 2, longest)

    async def _leave(self, link: Connection) -> None:
        gone: asyncio.Future[Any] = self._loop.create_future()
        out, self._out = self._out, []
        link.write((*out, Command(pack("UNLINK", self._replies.stream), gone)))
        try:
            async with asyncio.timeout(1):
                await gone
        except (TimeoutError, ScurryError):
            _log.debug("reply stream %s was not removed", self._replies.stream)

    def _refused(self, text: str) -> Exception:
        return Unavailable("unavailable", f"Redis at {self.address} refused: {text}.")

    def _overdue(self, request_id: str) -> Exception:
        if self._link is None:
            return Unavailable("unavailable", f"Redis at {self.address} cannot be reached; {request_id} got no answer.")
        return Unavailable("deadline_exceeded", f"No answer to {request_id} came in time.")

    def __repr__(self) -> str:
        state = "closed" if self._closed else "connected" if self._link else "reconnecting"
        return f"<Streams {self.address} {state}, {len(self._waiting)} waiting, {len(self._out)} unsent>"
