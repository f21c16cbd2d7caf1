"""A response that is bytes already, written past aiohttp's own headers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from scurry.gateway.doors import patience
from scurry.gateway.doors.replies import WHOLE, HttpReply, head_of


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
        head = head_of(self._reply, keep_alive=bool(self._keep_alive), old=self._old)
        parts = () if self._bodiless else self._reply.parts
        if sum(map(len, parts)) <= WHOLE:
            await self._writer.write(b"".join((head, *parts)))
            if self._protocol.writing_paused:
                await self._send(())
        else:
            await self._send((head, *parts))

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
