"""The doors of a gateway, made over one client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from scurry.client.client import Client
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors import (
    cluster_grpc,
    cluster_serving,
    contract,
    grpc,
    grpc_health,
    grpc_reflection,
    results,
    statistics,
    tf_serving,
)
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.deferred import Deferred
from scurry.gateway.doors.entrance import Entrance, HttpDoor
from scurry.gateway.doors.grpc_entrance import GrpcEntrance
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_keyed import KeyedInference
from scurry.gateway.doors.grpc_listener import GrpcListener
from scurry.gateway.doors.grpc_operations import Operations
from scurry.gateway.doors.grpc_state import StateOperations
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.gateway.doors.heads import Heads
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.health import Health
from scurry.gateway.limits import COPIES, Admission, TensorLimits
from scurry.gateway.live import LiveStatistics
from scurry.gateway.models import Models
from scurry.gateway.repository import Repository
from scurry.gateway.results import Results
from scurry.gateway.traffic import Traffic
from scurry.protocols.grpc_services import NAMES
from scurry.serving.guards import Guards, room_for
from scurry.serving.regions import state_of
from scurry.settings import GatewaySettings
from scurry.telemetry.prometheus import Figure
from scurry.telemetry.tracing import Tracing


class Doors:
    """All that callers reach; what one of them may take, the others have not."""

    def __init__(
        self, client: Client, settings: GatewaySettings, guards: Guards, tracing: Tracing | None = None
    ) -> None:
        self.client, self.settings, self.guards = client, settings, guards
        self.models, self.health, self.state = Models(client), Health(client), state_of(settings)
        self.ask = Ask(
            client, max_in_flight=settings.max_in_flight, timeout_s=settings.timeout_s,
            max_in_flight_each=settings.max_in_flight_each,
            most=TensorLimits(settings.max_tensor_bytes, settings.max_rows), tracing=tracing,
        )  # fmt: skip
        self.results = Results(self.ask, client, seconds=settings.results_s)
        tell = partial(results.document, self.results)
        self.callbacks = Callbacks(self.results, tell, allowed=settings.callbacks, secret=settings.callback_secret)
        self._admission = Admission(max(settings.max_bytes_in_flight, settings.max_body_bytes * COPIES))
        self._census = Census(room_for(settings.max_connections), settings.max_connections_each)
        self._admin = Admin(client, key=settings.admin_key, host=settings.host, asks_keys=guards.access.is_asked)
        self._original = cluster_serving.ClusterServing(self.ask, self.models, settings.cluster_serving_answers)
        self.traffic = Traffic(access_log=settings.access_log)

    def http(self) -> Entrance:
        """The doors that speak HTTP."""
        ask, models = self.ask, self.models
        deferred = Deferred(self.results, self.callbacks)
        rest = OpenInferenceHttp(ask, models, self.health, self._admin, state=self.state, deferred=deferred)
        doors: dict[str, HttpDoor] = {
            results.PREFIX: results.ResultsHttp(self.results),
            statistics.PREFIX: statistics.StatisticsHttp(LiveStatistics(models)),
        }
        doors |= dict.fromkeys(contract.PREFIXES, contract.Contract())
        doors |= dict.fromkeys(tf_serving.PREFIXES, tf_serving.TensorFlowServing(ask, models, deferred))
        doors |= dict.fromkeys(cluster_serving.PREFIXES, self._original)
        return Entrance(rest, doors, access=self.guards.access, cors=self.guards.cors)

    def listener(self, door: HttpDoor) -> Listener:
        """Where callers of HTTP connect."""
        settings = self.settings
        return Listener(
            door,
            self._admission,
            max_body_bytes=settings.max_body_bytes,
            body_timeout_s=settings.timeout_s,
            heads=Heads(settings.max_head_bytes, settings.max_headers),
            census=self._census,
            traffic=self.traffic,
        )

    def grpc(self) -> GrpcListener:
        """Where callers of gRPC connect."""
        settings = self.settings
        return GrpcListener(
            self._grpc_entrance(),
            self._admission,
            max_body_bytes=settings.max_body_bytes,
            body_timeout_s=settings.timeout_s,
            census=self._census,
            traffic=self.traffic,
        )

    def _grpc_entrance(self) -> GrpcEntrance:
        """The services that speak gRPC."""
        models, state, access = self.models, self.state, self.guards.access
        operations = Operations(models, self.health, Repository(self._admin, models), state.server)
        placing, rest = Placing(state.memory, models), StateOperations(models, state)
        keyed, inference = KeyedInference(self.results, placing, access), GrpcInference(self.ask, placing, access)
        return GrpcEntrance({
            grpc.SERVICE: grpc.OpenInferenceGrpc(inference, operations, rest, access, keyed=keyed),
            cluster_grpc.SERVICE: cluster_grpc.ClusterGrpc(self._original, models, access),
            grpc_health.SERVICE: grpc_health.HealthGrpc(self.health, models, NAMES, access),
            **dict.fromkeys(grpc_reflection.SERVICES, grpc_reflection.ReflectionGrpc(access)),
        })

    def figures(self) -> Iterator[Figure]:
        """What callers asked and got, and what is under way, for Prometheus."""
        yield from self.traffic.figures()
        yield Figure("scurry_gateway_in_flight", "gauge", "Calls that wait for their answer", self.ask.in_flight)
        taken = "Memory that bodies in flight take"
        yield Figure("scurry_gateway_in_flight_bytes", "gauge", taken, self._admission.taken)
        yield Figure("scurry_gateway_connections", "gauge", "Connections that are open", len(self._census))

    def __repr__(self) -> str:
        return f"<Doors {self.ask!r}>"
