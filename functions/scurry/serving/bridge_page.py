"""What the bridge says of itself over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from aiohttp import web

from scurry.telemetry.process import own_figures
from scurry.telemetry.prometheus import CONTENT_TYPE, Figure, page

log = logging.getLogger(__name__)


class BridgePage:
    """Answers `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, is_ready: Callable[[], bool], figures: Callable[[], Iterable[Figure]]) -> None:
        self._is_ready, self._figures = is_ready, figures
        self._runner: web.AppRunner | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port. One that is taken is said and done without: entries are moved all the same."""
        app = web.Application()
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as cause:
            log.warning("the bridge's page is not served: %s", cause)
            return 0
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self._is_ready()
        return web.Response(status=200 if ready else 503, text="ready\n" if ready else "Redis does not answer\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        text = page([*own_figures(), *self._figures()])
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    def __repr__(self) -> str:
        return f"<BridgePage {'open' if self._runner else 'closed'}>"
