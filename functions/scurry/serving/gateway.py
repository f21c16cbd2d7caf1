"""The gateway process: one client, one loop, the doors before them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from functools import partial
from typing import Final

import uvloop

from scurry.client.client import Client
from scurry.gateway.doors.closed import Closed
from scurry.gateway.doors.listener import Listener
from scurry.gateway.doors.metrics import Metrics
from scurry.gateway.queues import Queues
from scurry.gateway.rereading import look_for_ever
from scurry.gateway.tls import GRPC
from scurry.serving.doors import Doors
from scurry.serving.guards import Guards
from scurry.serving.readiness import GATEWAY_LINE
from scurry.serving.tracing import tracing_of
from scurry.settings import GatewaySettings
from scurry.telemetry.logs import configure_logging
from scurry.wire.errors import Unavailable

log = logging.getLogger(__name__)

AGAIN_S: Final = 0.5
"""How often a Redis that is not there yet is tried."""
STARTING: Final = Unavailable("unavailable", "This gateway is starting: Redis has not answered yet.")


def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `OSError` for a taken port; without Redis it waits for it."""
    configure_logging("gateway", settings.log_level, form=settings.log_format)
    log.setLevel(min(log.getEffectiveLevel(), logging.INFO))  # `scurry up` may wait for our line, however quiet we are
    uvloop.run(serve(settings))


async def serve(settings: GatewaySettings, stop: asyncio.Event | None = None) -> None:
    """Open the doors, wait for the signal (or `stop`), close them behind what is in flight."""
    stop, guards, tracing = stop or _signalled(), Guards.of(settings), tracing_of("gateway", settings.traces)
    client = Client(settings.redis_url, namespace=settings.namespace, separate_registry=settings.separate_registry)
    doors = Doors(client, settings, guards, tracing)
    context = guards.tls.context() if guards.tls else None
    looking = asyncio.create_task(look_for_ever(guards.rereadings()))
    listener, url = doors.listener(Closed(STARTING)), f"http{'s' if context else ''}://{settings.host}"
    share = settings.reuse_port
    listen = partial(listener.open, settings.host, settings.http_port, reuse_port=share, context=context)
    port = 0 if share else await listen()  # where others share the port, callers are theirs until we can answer
    metrics = _metrics(doors)
    await metrics.open(settings.host, settings.metrics_port, context=context)
    try:
        if await _connected(client, stop, f"{url}:{port}"):
            client.streams.tell_entries(tracing is not None)
            listener.show(doors.http())
            port = port or await listen()
            metrics.connected = True
            await _answer(doors, listener, f"{url}:{port}", stop)
        else:
            await listener.close(settings.drain_s)
    finally:
        looking.cancel()
        await metrics.close()
        await client.close()
        if tracing is not None:
            tracing.close()


async def _answer(doors: Doors, listener: Listener, url: str, stop: asyncio.Event) -> None:
    """Let callers in until the signal; the doors beside HTTP are opened and closed here."""
    settings, tls = doors.settings, doors.guards.tls
    grpc = doors.grpc()
    host, context = settings.host, tls.context(GRPC) if tls else None
    grpc_port = await grpc.open(host, settings.grpc_port, reuse_port=settings.reuse_port, context=context)
    gc.freeze()  # what lives for ever need not be looked at again
    log.info("%s %s and grpc%s://%s:%d", GATEWAY_LINE, url, "s" if tls else "", host, grpc_port)
    await stop.wait()
    log.info("gateway stops", extra={"drain_s": settings.drain_s})
    doors.health.leave("It is stopping.")
    doors.results.leave()
    await asyncio.gather(listener.close(settings.drain_s), grpc.close(settings.drain_s))
    for one in (doors.callbacks, doors.results):
        await one.close()


def _metrics(doors: Doors) -> Metrics:
    """The page for Prometheus, which is there before Redis is."""
    named, queues = doors.settings.metrics_models, Queues(doors.client).figures
    page = Metrics(doors.models, doors.figures, queues=queues, health=doors.health, named=named)
    page.connected = False
    return page


async def _connected(client: Client, stop: asyncio.Event, url: str) -> bool:
    """Wait for Redis, which may be starting or reading its data; False when told to stop meanwhile."""
    said = ""
    while not stop.is_set():
        try:
            await client.open()
        except Unavailable as cause:
            if str(cause) != said:
                said = str(cause)
                log.warning("waiting for Redis: %s %s says so meanwhile", said, url)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)
        else:
            return True
    return False


def _signalled() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
