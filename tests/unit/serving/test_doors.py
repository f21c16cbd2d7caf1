"""Everything that callers reach shares its limits."""

from __future__ import annotations

from typing import Any

from tests.unit.gateway.conftest import FakeClient

from scurry.gateway.doors.closed import Closed
from scurry.protocols.grpc_services import NAMES
from scurry.serving.doors import Doors
from scurry.serving.guards import Guards
from scurry.settings import GatewaySettings
from scurry.wire.errors import Unavailable


async def test_one_memory_one_ask_and_one_count_for_all() -> None:
    """HTTP and gRPC take from the same; the figures are those of both."""
    client: Any = FakeClient()
    settings = GatewaySettings(max_bytes_in_flight=1 << 20, max_body_bytes=1 << 20, max_connections=7)
    doors = Doors(client, settings, Guards.of(settings))
    listener, grpc = doors.listener(Closed(Unavailable("unavailable", "Not yet."))), doors.grpc()
    assert listener.admission is grpc.admission
    assert listener.traffic is grpc.traffic
    assert listener.census is grpc.census
    listener.admission.take(3 << 20)  # three copies of the largest body
    figures = {figure.name: figure.value for figure in doors.figures()}
    assert figures["scurry_gateway_in_flight_bytes"] == 3 << 20
    assert figures["scurry_gateway_connections"] == 0
    assert "Ask 0 of" in repr(doors)


async def test_every_service_that_is_told_of_has_a_door() -> None:
    """And is called so in metrics, but for the first."""
    client: Any = FakeClient()
    settings = GatewaySettings()
    door: Any = Doors(client, settings, Guards.of(settings)).grpc().door
    assert [door.name_of(f"/{name}/") for name in NAMES] == ["grpc", *(f"/{name}" for name in NAMES[1:])]
