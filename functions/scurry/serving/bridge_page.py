"""What the bridge says of itself over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web

from scurry.telemetry.pages import Pages, scraped
from scurry.telemetry.process import own_figures
from scurry.telemetry.prometheus import Figure


class BridgePage(Pages):
    """Answers `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, is_ready: Callable[[], bool], figures: Callable[[], Iterable[Figure]]) -> None:
        self._is_ready, self._figures = is_ready, figures
        answers = {"/healthz": self._alive, "/readyz": self._ready, "/metrics": self._metrics}
        super().__init__("the bridge's pages", answers)

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self._is_ready()
        return web.Response(status=200 if ready else 503, text="ready\n" if ready else "Redis does not answer\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        return scraped([*own_figures(), *self._figures()])
