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
from functools import partial
from typing import TYPE_CHECKING, Final

import uvloop
from aiohttp import web

from scurry.endpoint.server import ENDPOINT, application, listen
from scurry.inference.children import Children
from scurry.inference.fetched import Places
from scurry.inference.function import Inference
from scurry.inference.payloads import ParkedPayloads
from scurry.inference.shelf import Shelf
from scurry.inference.statistics import figures
from scurry.inference.stock import MIB
from scurry.serving.watchdog import Watchdog
from scurry.telemetry.logs import configure_logging
from scurry.telemetry.prometheus import CONTENT_TYPE, page
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import SharedPayloads

if TYPE_CHECKING:
    from scurry.settings import WorkerSettings
    from scurry.sources.fetch import Sources

log = logging.getLogger(__name__)

SWITCH_SECONDS: Final = 0.001
"""A thread that comes back from a model waits this long for the interpreter, not 5 ms."""


def run(settings: WorkerSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logging("worker", settings.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(serve(settings))


async def serve(settings: WorkerSettings) -> None:
    """Serve until told to leave, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shared = SharedPayloads(settings.shared_payloads) if settings.shared_payloads else None
    payloads = ParkedPayloads(settings.redis_url, shared)
    threads, budget = settings.threads or os.cpu_count() or 1, settings.memory_mb * MIB
    places = Places(settings.models_root, settings.sources, settings.cache, settings.cache_mb * MIB)
    children, opener = Children(threads, budget, places), places.opener(threads)
    shelf = Shelf(opener, budget, trial=children.try_to_open)
    inference = Inference(shelf, payloads, keys=Keys(settings.namespace), children=children)
    app = application([inference])
    app.router.add_get("/metrics", partial(_metrics, shelf, budget, opener.sources))
    watchdog = Watchdog()
    watchdog.start()
    runner, port = await listen(app, settings.host, settings.port)
    inference.loads.worker = f"{settings.host}:{port}"
    gc.freeze()  # what lives for ever need not be looked at again
    log.info("worker ready on http://%s:%d", settings.host, port)
    try:
        await stop.wait()
        log.info("worker leaves: %r, %r, %r", inference, shelf.statistics, opener.sources)
        if not await app[ENDPOINT].drain(settings.drain_s):
            os._exit(1)  # a model that never comes back would keep its thread, and the thread the process
    finally:
        watchdog.stop()
        opener.sources.close()
        await runner.cleanup()
        await payloads.close()
        await inference.close()


async def _metrics(shelf: Shelf, budget: int, sources: Sources, _: web.Request) -> web.Response:
    """The shelf's statistics, for Prometheus."""
    return web.Response(text=page(figures(shelf, budget, sources)), headers={"Content-Type": CONTENT_TYPE})
