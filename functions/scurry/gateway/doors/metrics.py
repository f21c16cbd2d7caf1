"""The metrics port: one page for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from scurry.gateway.exposition import exposition
from scurry.gateway.models import Models
from scurry.telemetry.pages import Pages, scraped
from scurry.telemetry.process import own_figures
from scurry.telemetry.prometheus import Bounded, Figure
from scurry.wire.errors import ScurryError

log = logging.getLogger(__name__)


class Metrics(Pages):
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
        super().__init__("metrics", {"/metrics": self._answer})

    async def _answer(self, _: web.Request) -> web.Response:
        """Without Redis, what the process itself knows."""
        up, records = 1, {}
        try:
            records = await self._models.records()
        except ScurryError as cause:
            up = 0
            log.debug("metrics of models are missing: %s", cause)
        return scraped([
            Figure("scurry_view_up", "gauge", "Whether the registry's view could be read", up),
            *exposition((records[name] for name in sorted(records)), self._named),
            *(await self._queues() if self._queues is not None and up else ()),
            *self._own(),
            *own_figures(),
        ])  # fmt: skip
