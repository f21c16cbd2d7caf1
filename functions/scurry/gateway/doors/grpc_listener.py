"""Where gRPC callers connect: the socket, and who is late."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from scurry.gateway.doors import patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.grpc_call import Counted, GrpcDoor
from scurry.gateway.doors.grpc_entrance import OTHERWISE, GrpcEntrance
from scurry.gateway.doors.http2_connection import Http2Connection
from scurry.gateway.limits import Admission
from scurry.gateway.traffic import LONGEST, Answered, Traffic

LOOK_S: Final = 1.0
"""How often connections are looked at for callers that are late."""


class GrpcListener:
    """Serves one door."""

    def __init__(
        self, door: GrpcDoor, admission: Admission, *, max_body_bytes: int, body_timeout_s: float,
        census: Census | None = None, traffic: Traffic | None = None,
    ) -> None:  # fmt: skip
        self.door, self.traffic = door, traffic or Traffic()
        self.admission = admission
        self.max_body_bytes = max_body_bytes
        self.body_timeout_s = body_timeout_s
        self.census = Census() if census is None else census  # one that counts nobody yet is false
        self.connections: set[Http2Connection] = set()
        self._loop = asyncio.get_running_loop()
        self._sockets: asyncio.Server | None = None
        self._looking: asyncio.TimerHandle | None = None

    async def open(
        self, host: str, port: int, *, reuse_port: bool = False, context: ssl.SSLContext | None = None
    ) -> int:
        """Listen, beside others if all of them reuse the port; returns the port. Raises `OSError`."""
        self._sockets = await self._loop.create_server(
            lambda: Http2Connection(self), host, port, backlog=1024, reuse_port=reuse_port, ssl=context,
            ssl_handshake_timeout=patience.HEAD_S if context else None,
            ssl_shutdown_timeout=patience.LINGER_S if context else None,
        )  # fmt: skip
        self._look()
        return int(self._sockets.sockets[0].getsockname()[1])

    def note(self, asked: Counted, status: str, code: str, seconds: float, sent: int) -> None:
        """A message was answered, or is not any more: count it, and log it if that is wanted."""
        head = asked.head
        door = self.door.name_of(head.service) if isinstance(self.door, GrpcEntrance) else OTHERWISE
        told = Answered(door, status, code, seconds, asked.received, sent)
        self.traffic.note(told)
        if self.traffic.logs:
            method, trace = head.path.rpartition("/")[2][:LONGEST], head.metadata.get("traceparent", "")
            self.traffic.log(told, method, head.path, request=asked.request, traceparent=trace, model=asked.model)

    async def close(self, seconds: float) -> None:
        """Take no new connection and no new call, answer what has been asked within `seconds`, close."""
        if self._sockets is not None:
            self._sockets.close()
        end = self._loop.time() + seconds
        for connection in tuple(self.connections):
            connection.leave()
        while self.connections and self._loop.time() < end:  # noqa: ASYNC110 - once in a lifetime
            await asyncio.sleep(0.01)
        for connection in tuple(self.connections):
            connection.close()
        if self._looking is not None:
            self._looking.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        for connection in tuple(self.connections):
            connection.give_up_late(now)
        self.census.abort_late(now)
        self._looking = self._loop.call_later(LOOK_S, self._look)

    def __repr__(self) -> str:
        return f"<GrpcListener {len(self.connections)} connections, {self.admission!r}>"
