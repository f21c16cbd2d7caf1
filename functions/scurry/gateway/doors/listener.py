"""Where callers connect: the socket, its connections, and who is late."""

from __future__ import annotations

import asyncio
from typing import Final

from scurry.gateway.doors.entrance import OTHERWISE, Entrance, HttpDoor
from scurry.gateway.doors.heads import Head, Heads
from scurry.gateway.doors.http_connection import HttpConnection
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.doors.unusual_http import UnusualHttp
from scurry.gateway.limits import Admission
from scurry.gateway.traffic import Answered, Traffic

LOOK_S: Final = 0.25
"""How often connections are looked at for callers that are late; a timer for each would be set with each request."""

AT_ONCE: Final = 200
"""How many of them in one turn of the loop."""


class Listener:
    """Serves one door."""

    def __init__(
        self,
        door: HttpDoor,
        admission: Admission,
        *,
        max_body_bytes: int,
        body_timeout_s: float,
        traffic: Traffic | None = None,
    ) -> None:
        self.door = door
        self.traffic = traffic or Traffic()
        self._name_of = door.name_of if isinstance(door, Entrance) else lambda _: OTHERWISE
        self.admission = admission
        self.max_body_bytes = max_body_bytes
        self.body_timeout_s = body_timeout_s
        self.heads = Heads()
        self.connections: set[HttpConnection] = set()
        self._unusual = UnusualHttp(
            door, admission, max_body_bytes=max_body_bytes, body_timeout_s=body_timeout_s, note=self.note
        )
        self._loop = asyncio.get_running_loop()
        self._sockets: asyncio.Server | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._unseen: list[HttpConnection] = []  # those that this round has not looked at

    async def open(self, host: str, port: int, *, reuse_port: bool = False) -> int:
        """Listen, beside others if all of them reuse the port; returns the port. Raises `OSError`."""
        self._sockets = await self._loop.create_server(
            lambda: HttpConnection(self), host, port, backlog=1024, reuse_port=reuse_port
        )
        self._look()
        return int(self._sockets.sockets[0].getsockname()[1])

    @property
    def count(self) -> int:
        """Connections that are open."""
        return len(self.connections) + self._unusual.count

    def note(self, head: Head, reply: HttpReply, seconds: float) -> None:
        """A request was answered: count it, and log it if that is wanted."""
        door, sent = self._name_of(head.target), sum(map(len, reply.parts))
        told = Answered(door, reply.status, reply.code, seconds, head.size, sent)
        self.traffic.note(told)
        if self.traffic.logs:
            trace = head.headers.get("traceparent", "")
            self.traffic.log(told, head.method, head.target, request=reply.request, traceparent=trace)

    def unusual(self) -> asyncio.Protocol:
        """aiohttp, for a connection that it takes over."""
        return self._unusual.connection()

    async def close(self, seconds: float) -> None:
        """Take no new connection, answer what has been asked within `seconds`, close."""
        if self._sockets is not None:
            self._sockets.close()
        end = self._loop.time() + seconds
        for connection in tuple(self.connections):
            connection.leave()
        await self._unusual.close(seconds)
        while self.connections and self._loop.time() < end:  # noqa: ASYNC110 - once in a lifetime
            await asyncio.sleep(0.01)
        for connection in tuple(self.connections):
            connection.close()
        if self._looking is not None:
            self._looking.cancel()

    def _look(self) -> None:
        """Look at some of them: at thousands in one go the others would wait for milliseconds."""
        now = self._loop.time()
        if not self._unseen:
            self._unseen = list(self.connections)
        for connection in self._unseen[-AT_ONCE:]:
            connection.give_up_late(now)
        del self._unseen[-AT_ONCE:]
        wait = LOOK_S * AT_ONCE / max(AT_ONCE, len(self.connections))
        self._looking = self._loop.call_later(wait, self._look)

    def __repr__(self) -> str:
        return f"<Listener {len(self.connections) + self._unusual.count} connections, {self.admission!r}>"
