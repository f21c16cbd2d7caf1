"""Which door a gRPC call is shown to."""

from __future__ import annotations

import pytest
from tests.unit.gateway.conftest import FakeClient
from tests.unit.gateway.doors.line import Line, door_of
from tests.unit.gateway.doors.test_grpc_methods import Door, said

from scurry.gateway.doors.grpc import SERVICE
from scurry.gateway.doors.grpc_entrance import GrpcEntrance
from scurry.protocols import front_end_pb2 as words
from scurry.protocols.oip_pb2 import ServerLiveResponse


@pytest.fixture
async def line(client: FakeClient) -> Line:
    """A connection to two doors that has greeted."""
    line = Line(GrpcEntrance({SERVICE: door_of(client), "/a.Service/": Door()}))
    line.greet()
    return line


async def test_each_service_has_its_door(line: Line) -> None:
    """One that has streams among them."""
    assert words.StringReply.FromString((await line.call("/a.Service/Say", said("x"))).messages[0]).message == "x"
    assert ServerLiveResponse.FromString((await line.call("ServerLive", b"")).messages[0]).live
    stream = line.head("ModelStreamInfer")
    line.data(stream, b"", framed=False)
    assert (await line.reply(stream)).status == "0"


@pytest.mark.parametrize("path", ["/b.Service/Say", "/a.Service", "/a.Service/deeper/Say", "/", "*"])
async def test_a_service_that_is_not_there_is_told_which_are(line: Line, path: str) -> None:
    """Whatever the path."""
    stream = line.head(path) if path.startswith("/") else line.head("/x", **{":path": path})
    line.data(stream, b"")
    reply = await line.reply(stream)
    assert reply.status == "12"
    assert "this port has inference.GRPCInferenceService, a.Service." in reply.text


def test_names_in_metrics_are_as_many_as_doors(client: FakeClient) -> None:
    """What callers make up has none of its own."""
    entrance = GrpcEntrance({SERVICE: door_of(client), "/a.Service/": Door()})
    names = [entrance.name_of(service) for service in (SERVICE, "/a.Service/", "/made.up/", "")]
    assert names == ["grpc", "/a.Service", "grpc", "grpc"]
    assert repr(entrance) == "<GrpcEntrance to grpc, /a.Service>"
