"""Where callers connect: the socket, its connections, and who is late."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from scurry.gateway.doors import patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.closed import Closed
from scurry.gateway.doors.entrance import OTHERWISE, Entrance, HttpDoor
from scurry.gateway.doors.heads import Head, Heads
from scurry.gateway.doors.http_connection import HttpConnection
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.doors.unusual_http import UnusualHttp
from scurry.gateway.limits import Admission
from scurry.gateway.traffic import Answered, Traffic
from scurry.wire.errors import Unavailable

LOOK_S: Final = 0.25
"""How often connections are looked at for callers that are late; a timer for each would be set with each request."""
AT_ONCE: Final = 200
"""How many of them in one turn of the loop."""
STOPPING: Final = Unavailable("unavailable", "This gateway is stopping: ask again in a moment, over a new connection.")


class Listener:
    """Serves one door."""

    def __init__(
        self, door: HttpDoor, admission: Admission, *, max_body_bytes: int, body_timeout_s: float,
        heads: Heads | None = None, census: Census | None = None, traffic: Traffic | None = None,
    ) -> None:  # fmt: skip
        self.door, self.traffic = door, traffic or Traffic()
        self.admission = admission
        self.max_body_bytes = max_body_bytes
        self.body_timeout_s = body_timeout_s
        self.heads = heads or Heads()
        self.census = Census() if census is None else census  # one that counts nobody yet is false
        self.connections: set[HttpConnection] = set()
        self._unusual = UnusualHttp(
            admission, self.heads, self.census, max_body_bytes=max_body_bytes, body_timeout_s=body_timeout_s,
            note=self.note,
        )  # fmt: skip
        self._loop = asyncio.get_running_loop()
        self._sockets: asyncio.Server | None = None
        self._shares_port = self.is_stopping = False
        self._looking: asyncio.TimerHandle | None = None
        self._unseen: list[HttpConnection] = []  # those that this round has not looked at

    async def open(
        self, host: str, port: int, *, reuse_port: bool = False, context: ssl.SSLContext | None = None
    ) -> int:
        """Listen, beside others if all of them reuse the port; returns the port. Raises `OSError`."""
        self._sockets = await self._loop.create_server(
            lambda: HttpConnection(self), host, port, backlog=1024, reuse_port=reuse_port, ssl=context,
            ssl_handshake_timeout=patience.HEAD_S if context else None,
            ssl_shutdown_timeout=patience.LINGER_S if context else None,
        )  # fmt: skip
        self._shares_port = reuse_port
        self._look()
        return int(self._sockets.sockets[0].getsockname()[1])

    @property
    def count(self) -> int:
        """Connections that are open."""
        return len(self.census)

    def note(self, head: Head, reply: HttpReply, seconds: float) -> None:
        """A request was answered: count it, and log it if that is wanted."""
        door = self.door.name_of(head.target) if isinstance(self.door, Entrance) else OTHERWISE
        sent = sum(map(len, reply.parts))
        told = Answered(door, reply.status, reply.code, seconds, head.size, sent)
        self.traffic.note(told)
        if self.traffic.logs:
            trace = head.headers.get("traceparent", "")
            self.traffic.log(told, head.method, head.target, request=reply.request, traceparent=trace)

    def show(self, door: HttpDoor) -> None:
        """From now on this is the door, also on connections that there are."""
        self.door = door
        self._unusual.show(door)
        for connection in self.connections:
            connection.door = door

    def unusual(self, door: HttpDoor) -> asyncio.Protocol:
        """aiohttp, for a connection that it takes over, which goes on with this door."""
        return self._unusual.connection(door)

    async def close(self, seconds: float) -> None:
        """Answer what has been asked within `seconds`, tell each caller with its next answer that it is the last.

        New connections are told that we stop; where others share the port, they get them instead.
        """
        begun = self._loop.time()
        end, quiet = begun + seconds, begun + min(seconds, patience.QUIET_S)
        self.door, self.is_stopping = Closed(STOPPING), True
        if self._shares_port:
            self._stop_listening()
        self._unusual.leave()
        for connection in tuple(self.connections):
            connection.leave()
        before = self.census.there()
        while not before.isdisjoint(self.census.there()) and self._loop.time() < end:
            await self._part_with_silent(quiet)
        self._stop_listening()
        while len(self.census) and self._loop.time() < end:  # who came meanwhile hears that we stop
            await self._part_with_silent(quiet)
        await self._unusual.close(0)
        for connection in tuple(self.connections):
            connection.close()
        if self._looking is not None:
            self._looking.cancel()

    async def _part_with_silent(self, quiet: float) -> None:
        now = self._loop.time()
        if now >= quiet:
            since = now - patience.QUIET_S
            self._unusual.close_silent(since)
            for connection in tuple(self.connections):
                connection.close_silent(since)
        await asyncio.sleep(0.01)

    def _stop_listening(self) -> None:
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None

    def _look(self) -> None:
        """Look at some of them: at thousands in one go the others would wait for milliseconds."""
        now = self._loop.time()
        if not self._unseen:
            self._unseen = list(self.connections)
        for connection in self._unseen[-AT_ONCE:]:
            connection.give_up_late(now)
        del self._unseen[-AT_ONCE:]
        self.census.abort_late(now)
        wait = LOOK_S * AT_ONCE / max(AT_ONCE, len(self.connections))
        self._looking = self._loop.call_later(wait, self._look)

    def __repr__(self) -> str:
        return f"<Listener {len(self.census)} connections, {self.admission!r}>"
