"""The gateway process: one client, one loop, the doors before them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import uvloop

from scurry.client.client import Client
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import cluster_serving, contract, tf_serving
from scurry.gateway.doors.deferred import Deferred
from scurry.gateway.doors.entrance import Entrance, HttpDoor
from scurry.gateway.doors.grpc import OpenInferenceGrpc
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_listener import GrpcListener
from scurry.gateway.doors.grpc_operations import Operations
from scurry.gateway.doors.grpc_state import StateOperations
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.doors.metrics import Metrics
from scurry.gateway.doors.results import PREFIX as RESULTS
from scurry.gateway.doors.results import ResultsHttp, document
from scurry.gateway.doors.statistics import PREFIX as STATISTICS
from scurry.gateway.doors.statistics import StatisticsHttp
from scurry.gateway.health import Health
from scurry.gateway.limits import COPIES, Admission
from scurry.gateway.live import LiveStatistics
from scurry.gateway.models import Models
from scurry.gateway.queues import Queues
from scurry.gateway.repository import Repository
from scurry.gateway.results import Results
from scurry.gateway.server_state import ServerState
from scurry.gateway.traffic import Traffic
from scurry.serving.readiness import GATEWAY_LINE
from scurry.serving.regions import state_of
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
        models, ask, state = Models(client), ask_of(client, settings, tracing), state_of(settings)
        results, callbacks = results_of(client, ask, settings)
        entrance = entrance_of(
            client, ask, models, results=results, callbacks=callbacks, settings=settings, state=state
        )
        parts = parts_of(ask, entrance, settings)
        listener, figures = parts.listener, Queues(client).figures
        metrics = Metrics(models, parts.figures, queues=figures, named=settings.metrics_models)
        grpc = grpc_listener_of(client, models, settings, ask=ask, state=state, admission=listener.admission)
        port = await listener.open(settings.host, settings.http_port, reuse_port=settings.reuse_port)
        grpc_port = await grpc.open(settings.host, settings.grpc_port, reuse_port=settings.reuse_port)
        await metrics.open(settings.host, settings.metrics_port)
        gc.freeze()  # what lives for ever need not be looked at again
        log.info("%s http://%s:%d and grpc://%s:%d", GATEWAY_LINE, settings.host, port, settings.host, grpc_port)
        await stop.wait()
        log.info("gateway stops", extra={"drain_s": settings.drain_s})
        results.leave()
        await asyncio.gather(listener.close(settings.drain_s), grpc.close(settings.drain_s))
        for one in (metrics, callbacks, results):
            await one.close()
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


def results_of(client: Client, ask: Ask, settings: GatewaySettings) -> tuple[Results, Callbacks]:
    """What is answered later, and sent to whoever wants it sent."""
    results = Results(ask, client, seconds=settings.results_s)
    tell = partial(document, results)
    return results, Callbacks(results, tell, allowed=settings.callbacks, secret=settings.callback_secret)


def entrance_of(
    client: Client, ask: Ask, models: Models, *, results: Results, callbacks: Callbacks, settings: GatewaySettings,
    state: ServerState,
) -> Entrance:  # fmt: skip
    """The HTTP doors over a client."""
    admin = Admin(client, key=settings.admin_key, host=settings.host)
    deferred = Deferred(results, callbacks)
    door = OpenInferenceHttp(ask, models, Health(client), admin, state=state, deferred=deferred)
    doors: dict[str, HttpDoor] = {RESULTS: ResultsHttp(results), STATISTICS: StatisticsHttp(LiveStatistics(models))}
    doors |= dict.fromkeys(contract.PREFIXES, contract.Contract())
    doors |= dict.fromkeys(tf_serving.PREFIXES, tf_serving.TensorFlowServing(ask, models))
    original = cluster_serving.ClusterServing(ask, models, settings.cluster_serving_answers)
    doors |= dict.fromkeys(cluster_serving.PREFIXES, original)
    return Entrance(door, doors)


def parts_of(ask: Ask, door: HttpDoor, settings: GatewaySettings) -> Parts:
    """Where callers come in, with the limits of the settings."""
    admission = Admission(max(settings.max_bytes_in_flight, settings.max_body_bytes * COPIES))
    size, seconds = settings.max_body_bytes, settings.timeout_s
    traffic = Traffic(access_log=settings.access_log)
    listener = Listener(door, admission, max_body_bytes=size, body_timeout_s=seconds, traffic=traffic)
    return Parts(ask, admission, listener)


def ask_of(client: Client, settings: GatewaySettings, tracing: Tracing | None = None) -> Ask:
    """What every door asks through, so that the limit is one for all of them; the client is open."""
    if tracing is not None:
        client.streams.tell_entries(True)
    return Ask(client, max_in_flight=settings.max_in_flight, timeout_s=settings.timeout_s, tracing=tracing)


def grpc_listener_of(
    client: Client, models: Models, settings: GatewaySettings, *, ask: Ask, state: ServerState, admission: Admission
) -> GrpcListener:
    """The gRPC door over a client, which shares the HTTP door's limits and state."""
    repository = Repository(Admin(client, key=settings.admin_key, host=settings.host), models)
    operations = Operations(models, Health(client), repository, state.server)
    inference = GrpcInference(ask, Placing(state.memory, models))
    door = OpenInferenceGrpc(inference, operations, StateOperations(models, state))
    return GrpcListener(door, admission, max_body_bytes=settings.max_body_bytes, body_timeout_s=settings.timeout_s)


def _signalled() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
