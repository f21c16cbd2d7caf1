"""The gateway process: one client, one loop, the doors before them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from typing import Final

import uvloop

from scurry.client.client import Client
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.closed import Closed
from scurry.gateway.doors.entrance import Entrance
from scurry.gateway.doors.heads import Heads
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.doors.metrics import Metrics
from scurry.gateway.health import Health
from scurry.gateway.limits import Admission, TensorLimits
from scurry.gateway.models import Models
from scurry.gateway.rereading import look_for_ever
from scurry.serving.guards import Guards, room_for
from scurry.serving.readiness import GATEWAY_LINE
from scurry.settings import GatewaySettings
from scurry.telemetry.logs import configure_logging
from scurry.wire.errors import Unavailable

log = logging.getLogger(__name__)

AGAIN_S: Final = 0.5
"""How often a Redis that is not there yet is tried."""


def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `OSError` for a taken port; without Redis it waits for it."""
    configure_logging("gateway", settings.log_level)
    log.setLevel(min(log.getEffectiveLevel(), logging.INFO))  # `scurry up` may wait for our line, however quiet we are
    uvloop.run(serve(settings))


async def serve(settings: GatewaySettings, stop: asyncio.Event | None = None) -> None:
    """Open the doors, wait for the signal (or `stop`), close them behind what is in flight."""
    stop = stop or _signalled()
    guards = Guards.of(settings)
    client = Client(settings.redis_url, namespace=settings.namespace, separate_registry=settings.separate_registry)
    models, health = Models(client), Health(client)
    listener, metrics = listener_of(client, models, settings, health, guards), Metrics(models)
    context = guards.tls.context() if guards.tls else None
    looking = asyncio.create_task(look_for_ever(guards.rereadings()))
    door, url = listener.door, f"http{'s' if context else ''}://{settings.host}"
    listener.show(Closed(Unavailable("unavailable", "This gateway is starting: Redis has not answered yet.")))
    port = await listener.open(settings.host, settings.http_port, reuse_port=settings.reuse_port, context=context)
    try:
        if await _connected(client, stop, f"{url}:{port}"):
            share = settings.reuse_port
            await metrics.open(settings.host, settings.metrics_port, reuse_port=share, context=context)
            listener.show(door)
            gc.freeze()  # what lives for ever need not be looked at again
            log.info("%s %s:%d", GATEWAY_LINE, url, port)
            await stop.wait()
        log.info("gateway stops", extra={"drain_s": settings.drain_s})
        health.leave("It is stopping.")
        await listener.close(settings.drain_s)
        await metrics.close()
    finally:
        looking.cancel()
        await client.close()


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


def listener_of(
    client: Client, models: Models, settings: GatewaySettings, health: Health | None = None,
    guards: Guards | None = None,
) -> Listener:  # fmt: skip
    """The HTTP door over a client, with the limits of the settings."""
    guards = guards or Guards.of(settings)
    ask = Ask(
        client, max_in_flight=settings.max_in_flight, timeout_s=settings.timeout_s,
        max_in_flight_each=settings.max_in_flight_each,
        most=TensorLimits(settings.max_tensor_bytes, settings.max_rows),
    )  # fmt: skip
    admin = Admin(client, key=settings.admin_key, host=settings.host, asks_keys=guards.access.is_asked)
    rest = OpenInferenceHttp(ask, models, health or Health(client), admin)
    return Listener(
        Entrance(rest, access=guards.access, cors=guards.cors),
        Admission(settings.max_bytes_in_flight),
        max_body_bytes=settings.max_body_bytes,
        body_timeout_s=settings.timeout_s,
        heads=Heads(settings.max_head_bytes, settings.max_headers),
        census=Census(room_for(settings.max_connections), settings.max_connections_each),
    )


def _signalled() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
