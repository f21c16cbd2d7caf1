"""The metrics port: one page for Prometheus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

from scurry.gateway.exposition import exposition
from scurry.gateway.health import Health, is_ready
from scurry.gateway.models import Models
from scurry.telemetry.pages import Pages, scraped
from scurry.telemetry.process import own_figures
from scurry.telemetry.prometheus import Bounded, Figure
from scurry.wire.errors import ScurryError

READY_S: Final = 2.0
"""Whoever scrapes has more patience than that; a gateway of which nobody can say it in time is not ready."""

log = logging.getLogger(__name__)


class Metrics(Pages):
    """Answers `GET /metrics` from the registry's view and from what this process counts."""

    def __init__(
        self,
        models: Models,
        own: Callable[[], Iterable[Figure]] = lambda: (),
        *,
        queues: Callable[[], Awaitable[Iterable[Figure]]] | None = None,
        health: Health | None = None,
        named: int = 200,
    ) -> None:
        """`own` are the process' figures, `queues` what has to be looked up; so many models have some of theirs.

        Until `connected`, what stands in Redis is not asked for.
        """
        self.connected, self._health = True, health
        self._models, self._own, self._queues, self._named = models, own, queues, Bounded(named)
        super().__init__("metrics", {"/metrics": self._answer})

    async def _answer(self, _: web.Request) -> web.Response:
        """Without Redis, what the process itself knows."""
        found = await self._looked_up() if self.connected else [_view(0)]
        ready = await self._is_ready() if self.connected else False
        told = "Whether Redis and the job answer this gateway"
        return scraped([
            *([Figure("scurry_gateway_ready", "gauge", told, int(ready))] if self._health else ()),
            *found,
            *self._own(),
            *own_figures(),
        ])  # fmt: skip

    async def _looked_up(self) -> list[Figure]:
        """What stands in Redis: the registry's view, and the streams."""
        try:
            records = await self._models.records()
        except ScurryError as cause:
            log.debug("metrics of models are missing: %s", cause)
            return [_view(0)]
        found = exposition((records[name] for name in sorted(records)), self._named)
        return [_view(1), *found, *(await self._queues() if self._queues is not None else ())]

    async def _is_ready(self) -> bool:
        if self._health is None:
            return False
        try:
            async with asyncio.timeout(READY_S):
                return is_ready(await self._health.report())
        except TimeoutError:
            return False


def _view(up: int) -> Figure:
    return Figure("scurry_view_up", "gauge", "Whether the registry's view could be read", up)
