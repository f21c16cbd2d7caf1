"""Watch of gRPC's health checks: told once, and whenever it changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from google.protobuf.message import DecodeError

from scurry.gateway.ask import told
from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_streamed import Streamed
from scurry.gateway.limits import Room
from scurry.protocols.health_pb2 import HealthCheckRequest, HealthCheckResponse
from scurry.wire.errors import InvalidRequest, NotFound

LOOK_S: Final = 1.0
"""How often is looked; those who watch the same share what is looked up, as probes do."""

Admit = Callable[[GrpcCall, str], None]
"""Raises `ScurryError` for a caller who may not know."""
Look = Callable[[str], Awaitable[HealthCheckResponse.ServingStatus]]
"""The status of a service by its name. Raises `ScurryError`."""


class WatchStream:
    """One watcher. It counts once, when it has heard the first."""

    def __init__(self, call: GrpcCall, admit: Admit, look: Look) -> None:
        self._call, self._admit, self._look = call, admit, look
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def message(self, data: bytes, room: Room) -> None:
        """What is to be watched."""
        if self._task is not None:
            room.give_back_all()
            self._call.refuse(InvalidRequest("bad_request", "This method takes one message."))
            return
        self._task = asyncio.get_running_loop().create_task(self._watch(data, Streamed(self._call, room)))

    def end(self) -> None:
        """No other will come, of which there is none anyway."""
        if self._task is None:
            self._call.refuse(InvalidRequest("bad_request", "The call has no message."))

    def stop(self) -> None:
        """The caller has gone, or the gateway goes and says so."""
        self._stopping.set()
        if self._task is None:
            self._call.finish()

    async def _watch(self, data: bytes, asked: Streamed) -> None:
        try:
            service = HealthCheckRequest.FromString(data).service
            await self._tell(service, asked)
        except DecodeError:
            self._call.refuse(InvalidRequest("bad_request", "The message is no HealthCheckRequest."))
        except Exception as cause:
            self._call.refuse(told(cause))
        finally:
            asked.room.give_back_all()
        self._call.finish()

    async def _tell(self, service: str, asked: Streamed) -> None:
        """Until the call is closed, or we go: then once more, for the gateway is not ready any more."""
        before, stopping = None, False
        while self._call.is_open:
            self._admit(self._call, service)
            status = await self._status(service)
            if before is None:
                asked.answer((HealthCheckResponse(status=status).SerializeToString(),))
            elif status != before:
                self._call.send((HealthCheckResponse(status=status).SerializeToString(),))
            before = status
            if stopping:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LOOK_S)
            stopping = self._stopping.is_set()

    async def _status(self, service: str) -> HealthCheckResponse.ServingStatus:
        try:
            return await self._look(service)
        except NotFound:
            return HealthCheckResponse.SERVICE_UNKNOWN

    def __repr__(self) -> str:
        return f"<WatchStream {'waits' if self._task is None else 'watches'}>"
