"""The metrics port: one page for Prometheus."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from scurry.gateway.exposition import exposition
from scurry.gateway.models import Models
from scurry.telemetry.process import own_figures
from scurry.telemetry.prometheus import CONTENT_TYPE, Bounded, Figure, page
from scurry.wire.errors import ScurryError

log = logging.getLogger(__name__)


class Metrics:
    """Answers `GET /metrics` from the registry's view and from what this process counts."""

    def __init__(
        self,
        models: Models,
        own: Callable[[], Iterable[Figure]] = lambda: (),
        *,
        queues: Callable[[], Awaitable[Iterable[Figure]]] | None = None,
        named: int = 200,
    ) -> None:
        """`own` are the process' figures, `queues` what has to be looked up; so many models have some of theirs."""
        self._models, self._own, self._queues, self._named = models, own, queues, Bounded(named)
        self._runner: web.AppRunner | None = None

    async def open(self, host: str, port: int, *, context: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port. One that is taken is said and done without: callers are served all the same."""
        app = web.Application()
        app.on_response_prepare.append(_unnamed)
        app.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, ssl_context=context).start()
        except OSError as cause:
            log.warning("metrics are not served: %s", cause)
            return 0
        return int(self._runner.addresses[0][1])

    async def _answer(self, _: web.Request) -> web.Response:
        """Without Redis, what the process itself knows."""
        up, records = 1, {}
        try:
            records = await self._models.records()
        except ScurryError as cause:
            up = 0
            log.debug("metrics of models are missing: %s", cause)
        text = page([
            Figure("scurry_view_up", "gauge", "Whether the registry's view could be read", up),
            *exposition((records[name] for name in sorted(records)), self._named),
            *(await self._queues() if self._queues is not None and up else ()),
            *self._own(),
            *own_figures(),
        ])  # fmt: skip
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
