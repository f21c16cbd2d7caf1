"""A connection that aiohttp has: what is slow, silent or wrong on it.

aiohttp waits an hour for a request line, answers parser errors in its own words and reads the rest of a refused body
however long it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError

from scurry.gateway.doors import patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.entrance import HttpDoor
from scurry.gateway.doors.heads import Heads
from scurry.gateway.doors.raw_response import RawResponse
from scurry.gateway.doors.replies import refusal, written
from scurry.wire.errors import Failed, InvalidRequest

CODINGS: Final = ("identity", "gzip", "deflate")
"""How a body may be packed."""

log = logging.getLogger(__name__)


class AiohttpConnection(web.RequestHandler):
    """aiohttp's connection, with limits."""

    __slots__ = ("_census", "_counted", "_head_timer", "_heard", "_rest", "door")

    def __init__(self, server: AiohttpServer, loop: asyncio.AbstractEventLoop, door: HttpDoor) -> None:
        no_log: Any = None  # aiohttp takes it, its annotation does not
        super().__init__(
            server, loop=loop, access_log=no_log, logger=log,
            keepalive_timeout=patience.IDLE_S, lingering_time=patience.LINGER_S,
            max_line_size=server.heads.max_head_bytes, max_field_size=server.heads.max_head_bytes,
            max_headers=server.heads.max_headers,
        )
        self.door, self._census = door, server.census
        self._heard = loop.time()
        self._counted: asyncio.BaseTransport | None = None  # aiohttp's own is forgotten before it is closed
        self._head_timer: asyncio.TimerHandle | None = None
        self._rest: int | None = None  # bytes of a refused body that may still come

    def refuse_the_rest(self) -> None:
        """Little more is read of the body that is being sent."""
        self._rest = patience.LINGER_BYTES

    def data_received(self, data: bytes) -> None:
        """Feed the parser; begin to count when what has come is not a whole head."""
        if self._rest is not None:
            self._rest -= len(data)
            if self._rest < 0:
                self.force_close()
                return
        self._heard = self._loop.time()
        super().data_received(data)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            if self._head_timer is None:
                self._head_timer = self._loop.call_later(patience.HEAD_S, self._give_up)
        elif self._head_timer is not None:
            self._stop_timer()

    def close_silent(self, since: float) -> None:
        """Hang up if nothing has been asked since then, nor begun to be."""
        if self._heard <= since and self._waiter is not None and not self._waiter.done() and self._head_timer is None:
            self.force_close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It goes on here."""
        self._counted = transport
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop counting."""
        self._stop_timer()
        if self._counted is not None:
            self._census.leave(self._counted)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What cannot be parsed is told as any other mistake; a fault of ours is in the log."""
        self.keep_alive(False)
        if status < 500:
            cause = refusal(_mistake(exc, message or str(exc)))
        else:
            log.error("request failed", exc_info=exc)
            cause = refusal(Failed("internal", "The gateway failed to answer; its log tells why."))
        return RawResponse(cause, request, keep_alive=False)

    def log_exception(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - logging's own
        """A body that is not what it says has been told to its sender: it is no fault of ours."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)

    def _give_up(self) -> None:
        """The head did not come: say so, close."""
        self._head_timer = None
        if self.transport is not None:
            self.transport.write(written(refusal(patience.late("head", patience.HEAD_S)), keep_alive=False))
        self.force_close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class AiohttpServer(web.Server):
    """Makes connections that were begun elsewhere."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], heads: Heads,
                 census: Census) -> None:  # fmt: skip
        super().__init__(handler)
        self.heads, self.census = heads, census

    def taking_over(self, door: HttpDoor) -> AiohttpConnection:
        """One more connection, whose requests are for this door."""
        return AiohttpConnection(self, self._loop, door)


def not_read(coding: str) -> InvalidRequest:
    """Why a body is refused that is packed in another way."""
    return InvalidRequest("bad_request", f"Header Content-Encoding is {coding[:64]!r}; gzip and deflate can be read.")


def _mistake(cause: BaseException | None, message: str) -> InvalidRequest:
    """What is wrong with a head, in a sentence."""
    if isinstance(cause, ContentEncodingError):
        return InvalidRequest("bad_request", "Header Content-Encoding names what cannot be read; gzip and deflate can.")
    told = message.strip().splitlines() or ["it cannot be read"]
    return InvalidRequest("bad_request", f"This is not HTTP: {told[0].rstrip(':.')}.")
