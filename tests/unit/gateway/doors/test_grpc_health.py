"""gRPC's health checks, over a line without a socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.gateway.conftest import FakeClient
from tests.unit.gateway.doors.line import Line

from scurry.gateway.access import Access
from scurry.gateway.doors.grpc_health import SERVICE, HealthGrpc
from scurry.gateway.health import Health
from scurry.gateway.models import Models
from scurry.protocols.grpc_services import NAMES
from scurry.protocols.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListResponse
from scurry.wire.errors import error

KEY = "a-key-of-sixteen"


def line_of(client: FakeClient, access: Access | None = None, health: Health | None = None) -> Line:
    """A connection to the door that has greeted."""
    line = Line(HealthGrpc(health or Health(client), Models(client), NAMES, access))
    line.greet()
    return line


async def check(line: Line, service: str, **metadata: str) -> str:
    """The name of a service's status, or the number of the call's."""
    message = HealthCheckRequest(service=service).SerializeToString()
    reply = await line.call(f"{SERVICE}Check", message, **metadata)
    if reply.status != "0":
        return reply.status
    return HealthCheckResponse.ServingStatus.Name(HealthCheckResponse.FromString(reply.messages[0]).status)


@pytest.mark.parametrize("service", ["", "inference.GRPCInferenceService", "grpc.health.v1.Health"])
async def test_a_service_is_as_ready_as_the_gateway(client: FakeClient, service: str) -> None:
    """Redis and the job answer, or not."""
    assert await check(line_of(client), service) == "SERVING"
    client.redis = error("unavailable", "Redis at host:1 does not answer.")
    assert await check(line_of(client), service) == "NOT_SERVING"


async def test_a_gateway_that_stops_is_not_ready(client: FakeClient) -> None:
    """Whatever stands behind it."""
    health = Health(client)
    health.leave("It is stopping.")
    assert await check(line_of(client, health=health), "") == "NOT_SERVING"


async def test_other_names_are_models(client: FakeClient) -> None:
    """What is not registered, or is no name, is not found, as the protocol says."""
    client.records["n"] = {"versions": [{"version": "1", "state": "loading"}], "aliases": {}, "routes": {}}
    line = line_of(client)
    assert [await check(line, name) for name in ("m", "n", "nobody", "a b")] == ["SERVING", "NOT_SERVING", "5", "5"]
    assert [one.model for one in line.noted][:3] == ["m", "n", "nobody"]


async def test_a_model_of_which_nobody_can_tell_is_not_ready(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is away."""

    async def away(_: str) -> None:
        raise error("unavailable", "Redis does not answer.")

    monkeypatch.setattr(client, "record", away)
    assert await check(line_of(client), "m") == "NOT_SERVING"


async def test_all_services_are_listed(client: FakeClient) -> None:
    """No model is."""
    reply = await line_of(client).call(f"{SERVICE}List", b"")
    told = HealthListResponse.FromString(reply.messages[0]).statuses
    assert told.keys() == {"", *NAMES}
    assert {one.status for one in told.values()} == {HealthCheckResponse.SERVING}


async def test_probes_have_no_key_and_models_need_one(client: FakeClient, tmp_path: Path) -> None:
    """One that reads, for this model: as over HTTP."""
    (tmp_path / "keys").write_text(f"ci {KEY} read models=m\nother {KEY}-2 infer\n")
    line = line_of(client, Access(str(tmp_path / "keys")))
    assert await check(line, "") == "SERVING"
    assert (await line.call(f"{SERVICE}List", b"")).status == "0"
    assert await check(line, "m") == "16"
    assert await check(line, "m", x_api_key=f"{KEY}-2") == "7"
    assert await check(line, "m", x_api_key=KEY) == "SERVING"
    assert await check(line, "n", x_api_key=KEY) == "7"


async def test_what_else_is_asked_is_unimplemented(client: FakeClient) -> None:
    """And a message that is none is refused."""
    line = line_of(client)
    assert (await line.call(f"{SERVICE}Ask", b"")).status == "12"
    assert (await line.call(f"{SERVICE}Check", b"\xff")).status == "3"
