"""Calls in whatever HTTP a client speaks; the rest of it is in test_server.py."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from tests.unit.endpoint.fakes import Transport

from scurry.endpoint import frames, general


class Host:
    """Answers the first call of a body with its own bytes."""

    connections: Any = frozenset()

    def __init__(self, kind: int = frames.ANSWER) -> None:
        self._kind = kind

    async def exchange(self, body: Any, send: Any) -> None:
        (call,) = frames.split(body)
        send(frames.BEAT, False)
        await asyncio.sleep(0)
        send(frames.frame(0, self._kind, bytes(call)), True)


class Request:
    """As much of a request as is read."""

    def __init__(self, body: bytes, path: str = "/", transport: Transport | None = None) -> None:
        self._body, self.path, self.transport = body, path, transport

    async def read(self) -> bytes:
        return self._body


async def test_one_call_is_answered_whole():
    """Without frames; who leaves says 503, what failed 500."""
    for kind, status in ((frames.ANSWER, 200), (frames.DRAINING, 503), (frames.FAILED, 500)):
        answer = await general.plain(Host(kind), Request(b"call"))  # type: ignore[arg-type]
        assert isinstance(answer, web.Response)
        assert answer.status == status
        assert kind == frames.DRAINING or answer.body == b"call"


async def test_a_body_that_is_no_frames_is_refused():
    """Before anything is asked."""
    answer = await general.coalesced(Host(), Request(b"\x01"))  # type: ignore[arg-type]
    assert answer.status == 400


async def test_one_without_a_certificate_is_answered_pages_alone():
    """Also one who has gone meanwhile."""

    async def answer(_: Any) -> web.Response:
        return web.Response()

    cases = ((None, "/healthz", 200), (None, "/calls", 401), (Transport(), "/", 401), (Transport({"a": 1}), "/", 200))
    for transport, path, status in cases:
        got = await general.known(Request(b"", path, transport), answer)  # type: ignore[arg-type]
        assert (got.status, got.keep_alive) == (status, False if status == 401 else None)
