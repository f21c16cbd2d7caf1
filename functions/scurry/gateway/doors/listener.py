"""aiohttp below the HTTP door: bodies within limits, bytes out.

aiohttp's low-level server: its router and its response headers would cost more than all the rest of a request.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from aiohttp import StreamReader, web

from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.http_connection import HttpConnection, HttpServer
from scurry.gateway.doors.raw_response import RawResponse
from scurry.gateway.doors.replies import refusal
from scurry.gateway.limits import Admission, Room
from scurry.wire.errors import InvalidRequest, ScurryError

log = logging.getLogger(__name__)

READ_AHEAD: Final = 1024 * 1024
"""Large bodies are read, and decompressed, in steps of about this size."""


class Listener:
    """Serves one door."""

    def __init__(
        self, door: OpenInferenceHttp, admission: Admission, *, max_body_bytes: int, body_timeout_s: float
    ) -> None:
        self._door = door
        self._admission = admission
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._http: HttpServer | None = None
        self._sockets: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises `OSError`."""
        self._http = HttpServer(self._serve)
        loop = asyncio.get_running_loop()
        self._sockets = await loop.create_server(self._http, host, port, backlog=1024)
        return int(self._sockets.sockets[0].getsockname()[1])

    async def close(self, seconds: float) -> None:
        """Take no new connection, answer what has been asked within `seconds`, close."""
        if self._sockets is not None:
            self._sockets.close()
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(seconds)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        with self._admission.room() as room:
            try:
                body = await self._body(request, room)
            except ScurryError as cause:
                if isinstance(request.protocol, HttpConnection):
                    request.protocol.refuse_the_rest()
                return RawResponse(refusal(cause), request, keep_alive=False)
            reply = await self._door.answer(request.method, request.raw_path, request.headers, body, room)
        return RawResponse(reply, request, keep_alive=request.keep_alive)

    async def _body(self, request: web.BaseRequest, room: Room) -> bytes:
        """The body, decompressed. Raises `too_large`, `overloaded` or `bad_request`."""
        content, announced = request.content, request.content_length or 0
        if announced > self._max_body_bytes:
            raise self._too_large()
        room.hold_body(announced)
        if content.is_eof():  # cases: 1. all of it is here already; 2. it is still to come
            body = content.read_nowait()
            self._check(len(body), room)
            return body
        await _invite(request)
        try:
            async with asyncio.timeout(self._body_timeout_s):
                return await self._read(content, room)
        except TimeoutError:
            message = f"The body did not arrive within {self._body_timeout_s:g} s."
            raise InvalidRequest("bad_request", message) from None
        except (web.RequestPayloadError, ConnectionError) as cause:
            raise InvalidRequest("bad_request", f"The body cannot be read: {cause}") from None

    async def _read(self, content: StreamReader, room: Room) -> bytes:
        content.set_read_chunk_size(min(READ_AHEAD, self._max_body_bytes))
        chunks: list[bytes] = []
        size = 0
        while chunk := await content.readany():
            chunks.append(chunk)
            size += len(chunk)
            self._check(size, room)
        return b"".join(chunks)

    def _check(self, size: int, room: Room) -> None:
        if size > self._max_body_bytes:
            raise self._too_large()
        room.hold_body(size)

    def _too_large(self) -> InvalidRequest:
        return InvalidRequest("too_large", f"The body is larger than {self._max_body_bytes} bytes, the limit here.")

    def __repr__(self) -> str:
        connections = len(self._http.connections) if self._http else 0
        return f"<Listener {connections} connections, {self._admission!r}>"


async def _invite(request: web.BaseRequest) -> None:
    """Tell a caller that waits for it to send the body."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the response has not begun
