"""The gRPC door of the load generator, against the gateway's own."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.gateway.conftest import FakeClient
from tests.unit.gateway.doors.line import Line, Transport, door_of

from scurry.bench.grpc_door import _Connection
from scurry.protocols.grpc_words import prefix
from scurry.protocols.oip_pb2 import ModelInferRequest


class Pair:
    """Both ends, and what goes between."""

    def __init__(self) -> None:
        line = Line(door_of(FakeClient()))
        self.answers: dict[bytes, str] = {}
        self.lost: list[str] = []
        self.server, self.back = line.connection, line.transport
        self.client, self.there = _Connection(b"host", self.answers.__setitem__, self.lost.append), Transport()
        self.client.connection_made(self.there)  # type: ignore[arg-type]

    async def run(self, count: int) -> None:
        """Carry bytes until there are so many answers."""
        async with asyncio.timeout(5):
            while len(self.answers) < count:
                for transport, end in ((self.there, self.server), (self.back, self.client)):
                    data = bytes(transport.written)
                    transport.written.clear()
                    end.data_received(data)
                await asyncio.sleep(0)


@pytest.fixture
async def pair() -> Pair:
    """One connection."""
    return Pair()


def message(size: int, model: str = "m") -> bytes:
    """A call for a model."""
    request = ModelInferRequest(model_name=model, raw_input_contents=[bytes(size)])
    request.inputs.add(name="x", datatype="UINT8", shape=[size])
    raw = request.SerializeToString()
    return prefix(len(raw)) + raw


@pytest.mark.parametrize("size", [1, 1000, 20_000, 100_000, 3_000_000])
async def test_calls_of_any_size_are_answered(pair, size):
    """Beyond the windows of both sides."""
    for number in range(4):
        pair.client.ask(b"%d" % number, message(size))
    await pair.run(4)
    assert pair.answers == {b"%d" % number: "" for number in range(4)}


async def test_errors_are_told_by_their_status(pair):
    """And a connection that is lost."""
    pair.client.ask(b"bad", message(1, "nobody"))
    await pair.run(1)
    assert pair.answers == {b"bad": "gRPC 5"}
    pair.client.ask(b"late", message(1))
    pair.client.connection_lost(None)
    assert pair.answers[b"late"] == "connection lost"
    assert pair.lost == ["the gateway closed a connection"]
