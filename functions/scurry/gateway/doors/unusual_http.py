"""What aiohttp answers: HTTP that is old, wrong, chunked or compressed.

aiohttp's low-level server: its router and its response headers would cost more than all the rest of a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final, cast

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import ContentEncodingError

from scurry.gateway.doors import patience
from scurry.gateway.doors.aiohttp_connection import CODINGS, AiohttpConnection, AiohttpServer, not_read
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.entrance import HttpDoor, answered
from scurry.gateway.doors.heads import Head, Heads, has_wishes, origin_form
from scurry.gateway.doors.raw_response import RawResponse
from scurry.gateway.doors.replies import HttpReply, refusal
from scurry.gateway.limits import Admission, Room
from scurry.wire.errors import InvalidRequest, ScurryError

READ_AHEAD: Final = 1024 * 1024
"""Large bodies are read, and decompressed, in steps of about this size."""


class UnusualHttp:
    """Reads bodies within limits and asks the door of their connection."""

    def __init__(
        self,
        admission: Admission,
        heads: Heads,
        census: Census,
        *,
        max_body_bytes: int,
        body_timeout_s: float,
        note: Callable[[Head, HttpReply, float], None] = lambda *_: None,
    ) -> None:
        self._heads = heads
        self._leaving = False
        self._note = note
        self._admission = admission
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._server = AiohttpServer(self._serve, heads, census)

    def connection(self, door: HttpDoor) -> AiohttpConnection:
        """aiohttp's side of one more connection."""
        return self._server.taking_over(door)

    def show(self, door: HttpDoor) -> None:
        """From now on this is the door of every connection there is."""
        for connection in self._server.connections:
            cast("AiohttpConnection", connection).door = door

    def leave(self) -> None:
        """From now on the next answer on each connection is the last."""
        self._leaving = True

    @property
    def count(self) -> int:
        """How many connections it has."""
        return len(self._server.connections)

    def close_silent(self, since: float) -> None:
        """Close each connection on which nothing has been asked since then."""
        for connection in self._server.connections:
            cast("AiohttpConnection", connection).close_silent(since)

    async def close(self, seconds: float) -> None:
        """Answer what has been asked within `seconds`, close."""
        self._server.pre_shutdown()
        await self._server.shutdown(seconds)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = cast("AiohttpConnection", request.protocol)
        with self._admission.room() as room:
            try:
                self._check_head(request)
                body = await self._body(request, room)
            except ScurryError as cause:
                connection.refuse_the_rest()
                reply = refusal(cause)
                self._note(_head(request, 0), reply, 0.0)
                return RawResponse(reply, request, keep_alive=False)
            head, begun = _head(request, len(body)), perf_counter()
            reply = await answered(connection.door, head, body, room)
            self._note(head, reply, perf_counter() - begun)
        return RawResponse(reply, request, keep_alive=head.keep_alive and not self._leaving)

    def _check_head(self, request: web.BaseRequest) -> None:
        """Each line has been measured, all of them together have not. Raises `too_large` or `bad_request`."""
        coding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in CODINGS:
            raise not_read(coding)
        lines = sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
        self._heads.check_size(len(request.raw_path) + lines)

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
            raise patience.late("body", self._body_timeout_s) from None
        except (web.RequestPayloadError, ConnectionError) as cause:
            raise _unreadable(request, cause) from None

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
        return f"<UnusualHttp {self.count} connections>"


def _unreadable(request: web.BaseRequest, cause: Exception) -> InvalidRequest:
    if isinstance(cause.__cause__, ContentEncodingError):
        coding = request.headers.get("Content-Encoding", "")
        return InvalidRequest("bad_request", f"The body is not {coding}, as header Content-Encoding says.")
    return InvalidRequest("bad_request", f"The body cannot be read: {' '.join(str(cause).split())}.")


def _head(request: web.BaseRequest, size: int) -> Head:
    keep_alive, wishes = bool(request.keep_alive), has_wishes(request.headers)
    return Head(request.method, origin_form(request.raw_path), request.headers, size, keep_alive, wishes)


async def _invite(request: web.BaseRequest) -> None:
    """Tell a caller that waits for it to send the body."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the response has not begun
