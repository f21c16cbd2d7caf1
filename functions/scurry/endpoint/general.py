"""The same calls for clients that speak HTTP in ways of their own.

What our connections do not read, aiohttp does: coalesced calls in another form, and StateFun's own, one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from aiohttp import web

from scurry.endpoint import frames

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from scurry.endpoint.connection import Host

PAGES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What probes and Prometheus ask for, who have no certificate."""


async def coalesced(host: Host, request: web.Request) -> web.StreamResponse:
    """Answer the calls in a body, frame by frame."""
    body = await request.read()
    try:
        frames.split(body)
    except frames.BadFrames as failure:
        return web.Response(status=400, text=str(failure))
    pieces: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
    work = asyncio.create_task(host.exchange(body, lambda *piece: pieces.put_nowait(piece)))
    work.add_done_callback(lambda _: pieces.put_nowait((b"", True)))
    response = web.StreamResponse(headers={"Content-Type": frames.CONTENT_TYPE})
    with contextlib.suppress(ConnectionError):  # whoever asked has gone; the functions finish for nobody
        await response.prepare(request)
        data, last = await pieces.get()
        while not last:
            await response.write(data)
            data, last = await pieces.get()
        await response.write_eof(data)
    await work
    return response


async def plain(host: Host, request: web.Request) -> web.StreamResponse:
    """Answer one call as StateFun sends it; its client repeats a call that was answered with 5xx."""
    pieces: list[bytes] = []
    await host.exchange(frames.join([await request.read()]), lambda data, _: pieces.append(data))
    ((_, kind, payload),) = (frame for frame in frames.read(b"".join(pieces)) if frame[1] != frames.HEARTBEAT)
    if kind == frames.DRAINING:
        return web.Response(status=503, text="This process is about to leave.")
    if kind != frames.ANSWER:
        return web.Response(status=500, body=payload, content_type="text/plain", charset="utf-8")
    return web.Response(body=payload, content_type="application/octet-stream")


@web.middleware
async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who has shown a certificate, which the handshake has looked at; others see the pages alone."""
    if request.path in PAGES or (request.transport and request.transport.get_extra_info("peercert")):
        return await handler(request)
    refused = web.Response(status=401, text="This process answers calls of those alone who show a certificate.")
    refused.force_close()
    return refused
