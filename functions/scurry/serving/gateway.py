"""The gateway process: one client, one loop, the doors before them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Iterator
from typing import Final, NamedTuple

import uvloop

from scurry.client.client import Client
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.entrance import Entrance
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.doors.metrics import Metrics
from scurry.gateway.health import Health
from scurry.gateway.limits import Admission
from scurry.gateway.models import Models
from scurry.gateway.queues import Queues
from scurry.gateway.traffic import Traffic
from scurry.serving.readiness import GATEWAY_LINE
from scurry.serving.tracing import tracing_of
from scurry.settings import GatewaySettings
from scurry.telemetry.logs import configure_logging
from scurry.telemetry.prometheus import Figure
from scurry.telemetry.tracing import Tracing
from scurry.wire.errors import Unavailable

log = logging.getLogger(__name__)

AGAIN_S: Final = 0.5
"""How often a Redis that is not there yet is tried."""


def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `OSError` for a taken port; without Redis it waits for it."""
    configure_logging("gateway", settings.log_level, form=settings.log_format)
    log.setLevel(min(log.getEffectiveLevel(), logging.INFO))  # `scurry up` may wait for our line, however quiet we are
    uvloop.run(serve(settings))


async def serve(settings: GatewaySettings, stop: asyncio.Event | None = None) -> None:
    """Open the doors, wait for the signal (or `stop`), close them behind what is in flight."""
    stop, tracing = stop or _signalled(), tracing_of("gateway", settings.traces)
    client = Client(settings.redis_url, namespace=settings.namespace, separate_registry=settings.separate_registry)
    if not await _connected(client, stop):
        return
    try:
        models = Models(client)
        client.streams.tell_entries(tracing is not None)
        parts = parts_of(client, models, settings, tracing)
        listener, queues = parts.listener, Queues(client)
        metrics = Metrics(models, parts.figures, queues=queues.figures, named=settings.metrics_models)
        port = await listener.open(settings.host, settings.http_port, reuse_port=settings.reuse_port)
        await metrics.open(settings.host, settings.metrics_port)
        gc.freeze()  # what lives for ever need not be looked at again
        log.info("%s http://%s:%d", GATEWAY_LINE, settings.host, port)
        await stop.wait()
        log.info("gateway stops", extra={"drain_s": settings.drain_s})
        await listener.close(settings.drain_s)
        await metrics.close()
    finally:
        await client.close()
        if tracing is not None:
            tracing.close()


async def _connected(client: Client, stop: asyncio.Event) -> bool:
    """Wait for Redis, which may be starting or reading its data; False when told to stop meanwhile."""
    said = ""
    while not stop.is_set():
        try:
            await client.open()
        except Unavailable as cause:
            if str(cause) != said:
                said = str(cause)
                log.warning("waiting for Redis: %s", said)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)
        else:
            return True
    return False


class Parts(NamedTuple):
    """What a gateway is made of."""

    ask: Ask
    admission: Admission
    listener: Listener

    def figures(self) -> Iterator[Figure]:
        """What callers asked and got, and what is under way, for Prometheus."""
        yield from self.listener.traffic.figures()
        yield Figure("scurry_gateway_in_flight", "gauge", "Calls that wait for their answer", self.ask.in_flight)
        taken = "Memory that bodies in flight take"
        yield Figure("scurry_gateway_in_flight_bytes", "gauge", taken, self.admission.taken)
        yield Figure("scurry_gateway_connections", "gauge", "Connections that are open", self.listener.count)


def parts_of(client: Client, models: Models, settings: GatewaySettings, tracing: Tracing | None = None) -> Parts:
    """The HTTP door over a client, with the limits of the settings."""
    ask = Ask(client, max_in_flight=settings.max_in_flight, timeout_s=settings.timeout_s, tracing=tracing)
    admin = Admin(client, key=settings.admin_key, host=settings.host)
    door = Entrance(OpenInferenceHttp(ask, models, Health(client), admin))
    admission, traffic = Admission(settings.max_bytes_in_flight), Traffic(access_log=settings.access_log)
    size, seconds = settings.max_body_bytes, settings.timeout_s
    listener = Listener(door, admission, max_body_bytes=size, body_timeout_s=seconds, traffic=traffic)
    return Parts(ask, admission, listener)


def _signalled() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
