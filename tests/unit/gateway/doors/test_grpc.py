"""The gRPC door: which method is which."""

from __future__ import annotations

import pytest
from tests.unit.gateway.doors.line import Line, door_of

from scurry.gateway.doors.grpc import METHODS, SERVICE
from scurry.protocols import oip_pb2
from scurry.wire.errors import error


@pytest.fixture
async def line(client) -> Line:
    """A connection to the door that has greeted."""
    line = Line(door_of(client))
    line.greet()
    return line


async def test_every_method_is_answered(line):
    """None of them says that it is not there."""
    for name in METHODS:
        assert (await line.call(name, b"")).status in ("0", "3", "5")


async def test_what_is_not_there_is_unimplemented(line):
    """As gRPC says it."""
    for path in (f"{SERVICE}Nothing", "/"):
        reply = await line.call(path, b"")
        assert (reply.status, reply.messages) == ("12", [])
        assert "inference.GRPCInferenceService" in reply.text


async def test_a_message_that_is_none_is_refused(line):
    """Of whatever method."""
    for name in ("ModelReady", "ModelInfer"):
        assert (await line.call(name, b"\xff\xff")).status == "3"


async def test_the_callers_deadline_bounds_the_wait(line, client, monkeypatch):
    """Of what is not inference as well."""
    import asyncio

    async def never(_):
        await asyncio.sleep(60)

    monkeypatch.setattr(client, "record", never)
    asked = oip_pb2.ModelMetadataRequest(name="m").SerializeToString()
    assert (await line.call("ModelMetadata", asked, grpc_timeout="10m")).status == "4"


async def test_a_fault_of_ours_is_no_trace_in_the_answer(line, client, monkeypatch, caplog):
    """It is in the log."""

    async def broken(_):
        raise RuntimeError("secret")

    monkeypatch.setattr(client, "record", broken)
    reply = await line.call("ModelMetadata", oip_pb2.ModelMetadataRequest(name="m").SerializeToString())
    assert reply.status == "13"
    assert "secret" not in reply.text
    assert "request failed" in caplog.text


@pytest.mark.parametrize(
    ("metadata", "status"),
    [({}, "16"), ({"authorization": "Bearer wrong"}, "7"), ({"authorization": "Bearer right"}, "0"),
     ({"x_admin_key": "right"}, "0")],
)  # fmt: skip
async def test_changing_the_registry_needs_the_key(client, metadata, status):
    """As metadata, where there is one."""
    line = Line(door_of(client, key="right"))
    line.greet()
    asked = oip_pb2.RepositoryModelUnloadRequest(model_name="m").SerializeToString()
    assert (await line.call("RepositoryModelUnload", asked, **metadata)).status == status


async def test_web_pages_change_nothing(line):
    """Where there is no key, this machine may, but not a page that it shows."""
    asked = oip_pb2.RepositoryModelUnloadRequest(model_name="m").SerializeToString()
    assert (await line.call("RepositoryModelUnload", asked, origin="http://elsewhere.example")).status == "7"


async def test_statuses_come_from_the_one_table(line, client):
    """A code of ours and its status."""
    client.failure = error("rate_limited", "Too much.")
    asked = oip_pb2.ModelInferRequest(model_name="m").SerializeToString()
    reply = await line.call("ModelInfer", asked)
    assert (reply.status, reply.text) == ("8", "Too much.")
