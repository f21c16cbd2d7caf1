"""The functions process: router and registry behind HTTP.

Any number of them may run; none keeps anything. On SIGTERM or SIGINT it says that it is no longer ready, takes no more
calls, finishes those it has and leaves; the job sends what was refused to another process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from typing import TYPE_CHECKING

import uvloop

from scurry.endpoint.server import ENDPOINT, application, listen
from scurry.endpoint.traced import Traced
from scurry.graph.function import Graphs
from scurry.job.jars import find_module
from scurry.job.module import read_bound_functions
from scurry.registry.function import Registry
from scurry.router.function import Router
from scurry.router.policy import Bounds
from scurry.serving.tracing import tracing_of
from scurry.telemetry.logs import configure_logging
from scurry.wire.names import GRAPH, ROUTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.endpoint.call import Function
    from scurry.settings import FunctionsSettings
    from scurry.telemetry.tracing import Tracing

log = logging.getLogger(__name__)


def run(settings: FunctionsSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logging("functions", settings.log_level, form=settings.log_format)
    uvloop.run(serve(settings))


def served(settings: FunctionsSettings) -> tuple[Router, Registry, Graphs]:
    """The functions as the settings want them. Raises `MissingJob` without the module.yaml that is named."""
    bound = read_bound_functions(find_module(settings.module))
    waits = Bounds(hold_ms=int(1000 * settings.max_hold_s), queue_ms=int(1000 * settings.max_queue_s), functions=bound)
    return Router(bounds=waits), Registry(functions=bound), Graphs()


def traced(functions: Sequence[Function], tracing: Tracing) -> list[Function]:
    """The same functions, with a span for each traced request that they are asked about."""
    names = {ROUTER: "route", GRAPH: "graph"}

    def one(function: Function) -> Function:
        name = names.get(function.typename)
        return function if name is None else Traced(function, name, tracing)

    return [one(each) for each in functions]


async def serve(settings: FunctionsSettings) -> None:
    """Serve until told to leave, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tracing = tracing_of("functions", settings.traces)
    ours = served(settings)
    app = application(ours if tracing is None else traced(ours, tracing), figures=ours[0].figures)
    runner, port = await listen(app, settings.host, settings.port)
    gc.freeze()  # what lives for ever need not be looked at again
    log.info("functions ready on http://%s:%d", settings.host, port)
    try:
        await stop.wait()
        log.info("functions leave: %r", app[ENDPOINT])
        await app[ENDPOINT].drain(settings.drain_s)
    finally:
        await runner.cleanup()
        if tracing is not None:
            tracing.close()
