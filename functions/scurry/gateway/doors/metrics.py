"""The metrics port: one page for Prometheus."""

from __future__ import annotations

import logging
import ssl

from aiohttp import web

from scurry.gateway.exposition import exposition
from scurry.gateway.models import Models
from scurry.gateway.status import status_of
from scurry.telemetry.prometheus import CONTENT_TYPE
from scurry.wire.errors import ScurryError

log = logging.getLogger(__name__)


class Metrics:
    """Answers `GET /metrics` from the registry's view."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._runner: web.AppRunner | None = None

    async def open(
        self, host: str, port: int, *, reuse_port: bool = False, context: ssl.SSLContext | None = None
    ) -> int:
        """Listen; returns the port. One that is taken is said and done without: callers are served all the same."""
        app = web.Application()
        app.on_response_prepare.append(_unnamed)
        app.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, reuse_port=reuse_port or None, ssl_context=context).start()
        except OSError as cause:
            log.warning("metrics are not served: %s", cause)
            return 0
        return int(self._runner.addresses[0][1])

    async def _answer(self, _: web.Request) -> web.Response:
        try:
            records = await self._models.records()
        except ScurryError as cause:
            return web.Response(status=status_of(cause.code).http, text=f"{cause}\n")
        text = exposition(records[name] for name in sorted(records))
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def __repr__(self) -> str:
        return f"<Metrics {'open' if self._runner else 'closed'}>"


async def _unnamed(_: web.BaseRequest, response: web.StreamResponse) -> None:
    """Whoever looks for a server with a known hole is not told what we are made of."""
    response.headers.popall("Server", None)
    response.headers["X-Content-Type-Options"] = "nosniff"
