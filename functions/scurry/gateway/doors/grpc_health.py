"""gRPC's health checks: what orchestrators and balancers ask.

A service of this port is as ready as the gateway, by the same look as `/v2/health/ready`, and needs no key. Any other
name is a model's, which needs what `/v2/models/<model>/ready` needs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from google.protobuf.message import Message

from scurry.gateway import describe
from scurry.gateway.access import Access
from scurry.gateway.ask import check_names
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcStream
from scurry.gateway.doors.grpc_methods import GrpcMethods, Method
from scurry.gateway.doors.grpc_watch import WatchStream
from scurry.gateway.doors.scopes import NOBODYS, Needed
from scurry.gateway.health import Health, is_ready
from scurry.gateway.models import Models
from scurry.protocols import health_pb2 as words
from scurry.protocols.health_pb2 import HealthCheckResponse
from scurry.wire.errors import Unavailable

SERVICE: Final = "/grpc.health.v1.Health/"
WATCH: Final = f"{SERVICE}Watch"


class HealthGrpc:
    """Answers Check, List and Watch."""

    def __init__(
        self, health: Health, models: Models, services: Collection[str], access: Access | None = None
    ) -> None:
        """`services` by their full names, without slashes."""
        self._health, self._models, self._access = health, models, access or Access()
        self._services = ("", *services)
        methods: dict[str, tuple[type[Message], Method]] = {
            "Check": (words.HealthCheckRequest, self._check),
            "List": (words.HealthListRequest, self._list),
        }
        self._methods = GrpcMethods(SERVICE, methods, self._needed, self._access)

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message. Never raises."""
        self._methods.begin(call, message)

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who answers a call again and again: Watch."""
        return WatchStream(call, self._admit, self.status) if call.head.path == WATCH else None

    async def status(self, service: str) -> HealthCheckResponse.ServingStatus:
        """Whether a service or model takes requests. Raises `NotFound`."""
        if service in self._services:
            return _serving(is_ready(await self._health.report()))
        check_names(service)
        try:
            return _serving(describe.is_ready(await self._models.record(service), service, ""))
        except Unavailable:
            return HealthCheckResponse.NOT_SERVING

    async def _check(self, asked: words.HealthCheckRequest, *_: object) -> Message:
        return HealthCheckResponse(status=await self.status(asked.service))

    async def _list(self, *_: object) -> Message:
        status = await self.status("")
        return words.HealthListResponse(
            statuses={service: HealthCheckResponse(status=status) for service in self._services}
        )

    def _needed(self, method: str, asked: Any) -> Needed:  # noqa: ANN401 - one of two messages
        service = "" if method == "List" else asked.service
        return Needed(NOBODYS) if service in self._services else Needed("read", service)

    def _admit(self, call: GrpcCall, service: str) -> None:
        """Raise `not_authenticated` or `not_allowed` for who may not watch."""
        needed = self._needed("Watch", words.HealthCheckRequest(service=service))
        if needed.scope != NOBODYS:
            self._access.check(call.head.metadata, needed.scope, needed.model)

    def __repr__(self) -> str:
        return f"<HealthGrpc of {len(self._services) - 1} services>"


def _serving(ready: bool) -> HealthCheckResponse.ServingStatus:
    return HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
