"""A response that is bytes already, written past aiohttp's own headers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from scurry.gateway.doors import patience
from scurry.gateway.doors.event_stream import LAST_CHUNK, EventReply, Events, chunk
from scurry.gateway.doors.replies import WHOLE, HttpReply, head_of


class QueuedOutlet:
    """Events that wait until aiohttp has written those before."""

    def __init__(self, events: Events, *, chunked: bool) -> None:
        self._events, self._chunked = events, chunked
        self._waiting: list[bytes] = []
        self._ended = False
        self._came = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether something waits still."""
        return bool(self._waiting)

    def send(self, data: bytes) -> None:
        """Send whole events."""
        self._waiting.append(chunk(data) if self._chunked else data)
        self._came.set()

    def end(self) -> None:
        """That was all."""
        self._ended = True
        if self._chunked:
            self._waiting.append(LAST_CHUNK)
        self._came.set()

    async def take(self) -> bytes | None:
        """What is to be written next; None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._came.clear()
            self._events.resume()
            await self._came.wait()
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


class RawResponse(web.StreamResponse):
    """A response that is bytes already."""

    def __init__(self, reply: HttpReply, request: web.BaseRequest, *, keep_alive: bool) -> None:
        super().__init__(status=reply.status)
        self._reply = reply
        self._writer = request.writer
        self._protocol = request.protocol
        self._bodiless = request.method == "HEAD"
        self._keep_alive = keep_alive  # aiohttp's own: it closes the connection, or not
        self._old = request.version < (1, 1)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:  # noqa: ARG002 - aiohttp's name
        """Nothing to prepare."""
        return self._writer

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002
        """Write head and body."""
        if isinstance(self._reply, EventReply):
            await self._send_events(self._reply)
            return
        head = head_of(self._reply, keep_alive=bool(self._keep_alive), old=self._old)
        parts = () if self._bodiless else self._reply.parts
        if sum(map(len, parts)) <= WHOLE:
            await self._writer.write(b"".join((head, *parts)))
            if self._protocol.writing_paused:
                await self._send(())
        else:
            await self._send((head, *parts))

    async def _send_events(self, reply: EventReply) -> None:
        """Events for as long as they come; the end of the connection is the end for those who know no chunks."""
        head = head_of(reply.old() if self._old else reply, keep_alive=False, old=self._old)
        self._keep_alive = False
        await self._writer.write(head)
        if self._bodiless:
            return
        outlet = QueuedOutlet(reply.events, chunked=not self._old)
        reply.events.open(outlet)
        try:
            while (data := await outlet.take()) is not None:
                await self._send((data,))
        finally:
            reply.events.close()

    async def _send(self, parts: Sequence[bytes]) -> None:
        """Write as fast as the caller reads; one who does not read is left."""
        try:
            async with asyncio.timeout(patience.SEND_S):
                for part in parts:
                    await self._writer.write(part)
                await self._writer.drain()
        except TimeoutError:
            if self._protocol.transport is not None:
                self._protocol.transport.abort()
            raise ConnectionResetError(f"the caller did not read for {patience.SEND_S:g} s") from None
