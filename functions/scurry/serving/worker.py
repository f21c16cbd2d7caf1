"""The worker process: the inference function behind HTTP.

Any number of workers may run on one machine, each on a port and with a memory budget of its own. On SIGTERM or SIGINT
a worker says that it is no longer ready, takes no more calls, finishes those it has and leaves.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import uvloop

from scurry.endpoint.server import ENDPOINT, application, listen
from scurry.inference.children import GIVEN_BYTES, Children
from scurry.inference.fetched import Places
from scurry.inference.function import Inference
from scurry.inference.isolated.opener import IsolatingOpener
from scurry.inference.loaders import Loaders
from scurry.inference.opening import PipelineOpener
from scurry.inference.payloads import ParkedPayloads
from scurry.inference.response_cache import ResponseCache
from scurry.inference.shelf import Shelf
from scurry.inference.spans import Spans
from scurry.inference.stages import StageCounts
from scurry.inference.statistics import figures
from scurry.inference.stock import MIB
from scurry.serving.tracing import tracing_of
from scurry.serving.watchdog import Watchdog
from scurry.telemetry.logs import configure_logging
from scurry.telemetry.prometheus import Bounded, Figure
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import SharedPayloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scurry.inference.lane_call import LaneCall
    from scurry.settings import WorkerSettings
    from scurry.sources.fetch import Sources
    from scurry.telemetry.tracing import Tracing

    Note = Callable[[LaneCall], None]

log = logging.getLogger(__name__)

SWITCH_SECONDS: Final = 0.001
"""A thread that comes back from a model waits this long for the interpreter, not 5 ms."""


def run(settings: WorkerSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logging("worker", settings.log_level, form=settings.log_format)
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(serve(settings))


class Parts(NamedTuple):
    """What a worker is made of."""

    shelf: Shelf
    budget: int
    sources: Sources
    loaders: Loaders
    inference: Inference
    pool: str
    cache: ResponseCache
    counts: StageCounts
    spans: Spans | None

    def name_it(self, worker: str) -> None:
        """What it is called in what it tells."""
        self.inference.loads.worker = worker
        if self.spans is not None:
            self.spans.worker = worker

    def figures(self) -> Iterator[Figure]:
        """What became of models and requests, for Prometheus, and of which pool it is told."""
        yield Figure("scurry_worker_info", "gauge", "1; the label tells the worker's pool", 1, (("pool", self.pool),))
        yield from self.counts.figures()
        yield from figures(self.shelf, self.budget, self.sources, self.cache)


def _parts(settings: WorkerSettings, payloads: ParkedPayloads, tracing: Tracing | None) -> Parts:
    """All that answers calls, as the settings want it."""
    threads, budget = settings.threads or os.cpu_count() or 1, settings.memory_mb * MIB
    places = Places(settings.models_root, settings.sources, settings.cache, settings.cache_mb * MIB)
    fetching, children = places.opener(threads), Children(threads, budget, places)
    isolating = IsolatingOpener(
        fetching,
        threads=threads,
        allow=[name for name in settings.allow.split(",") if name],
        memory=budget + GIVEN_BYTES,
        load_seconds=settings.max_load_s,
    )
    loaders, opener = Loaders(settings.max_load_s), PipelineOpener(isolating, settings.models_root)
    shelf = Shelf(opener, budget, trial=children.try_to_open, loaders=loaders)
    cache = ResponseCache(settings.response_cache_mb * MIB)
    counts, keys = StageCounts(Bounded(settings.metrics_models)), Keys(settings.namespace)
    spans = Spans(tracing) if tracing is not None else None
    note = counts.note if spans is None else _both(counts.note, spans.note)
    inference = Inference(shelf, payloads, keys=keys, pool=settings.pool, children=children, cache=cache, note=note)
    return Parts(shelf, budget, fetching.sources, loaders, inference, settings.pool, cache, counts, spans)


def _both(first: Note, second: Note) -> Note:
    def told(lane_call: LaneCall) -> None:
        first(lane_call)
        second(lane_call)

    return told


async def serve(settings: WorkerSettings) -> None:
    """Serve until told to leave, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shared = SharedPayloads(settings.shared_payloads) if settings.shared_payloads else None
    payloads = ParkedPayloads(settings.redis_url, shared)
    tracing = tracing_of("worker", settings.traces)
    parts = _parts(settings, payloads, tracing)
    app = application([parts.inference], figures=parts.figures)
    watchdog = Watchdog()
    watchdog.start()
    runner, port = await listen(app, settings.host, settings.port)
    parts.name_it(f"{settings.host}:{port}")
    gc.freeze()  # what lives for ever need not be looked at again
    log.info("worker ready on http://%s:%d", settings.host, port)
    try:
        await stop.wait()
        log.info("worker leaves: %r, %r, %r", parts.inference, parts.shelf.statistics, parts.sources)
        if not await app[ENDPOINT].drain(settings.drain_s):
            os._exit(1)  # a model that never comes back would keep its thread, and the thread the process
    finally:
        watchdog.stop()
        parts.sources.close()
        await runner.cleanup()
        await payloads.close()
        await parts.inference.close()
        if tracing is not None:
            tracing.close()
        if parts.loaders.given_up:
            os._exit(0)  # the thread of a load that never came back would keep the process as well
