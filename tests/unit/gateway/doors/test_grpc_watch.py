"""Watch of gRPC's health checks, over a line without a socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.gateway.conftest import FakeClient
from tests.unit.gateway.doors.line import Line

from scurry.gateway.access import Access
from scurry.gateway.doors import grpc_watch
from scurry.gateway.doors.grpc_health import WATCH, HealthGrpc
from scurry.gateway.health import Health
from scurry.gateway.models import Models
from scurry.protocols import http2
from scurry.protocols.health_pb2 import HealthCheckRequest, HealthCheckResponse

STATUS = HealthCheckResponse.ServingStatus


class Watched:
    """A door, and what a watcher has heard."""

    def __init__(self, client: FakeClient, access: Access | None = None) -> None:
        self.health = Health(client)
        self.door = HealthGrpc(self.health, Models(client), ("inference.GRPCInferenceService",), access)
        self.line = Line(self.door)
        self.line.greet()

    def watch(self, service: str = "", *, last: bool = True, **metadata: str) -> int:
        """Begin to; returns the stream."""
        stream = self.line.head(WATCH, **metadata)
        self.line.data(stream, HealthCheckRequest(service=service).SerializeToString(), last=last)
        return stream

    async def heard(self, stream: int, count: int) -> list[str]:
        """The first so many."""
        async with asyncio.timeout(5):
            while len(self.line.messages(stream)) < count:
                self.line.look()
                await asyncio.sleep(0)
        return [STATUS.Name(HealthCheckResponse.FromString(one).status) for one in self.line.messages(stream)]


@pytest.fixture
async def watched(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """One whose watchers look again at once."""
    monkeypatch.setattr(grpc_watch, "LOOK_S", 0.001)
    return Watched(client)


async def test_a_watcher_hears_at_once_and_when_it_changes(
    client: FakeClient, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not more often, however often is looked. The call goes on behind the end of what was asked, and counts once."""
    statuses = [STATUS.SERVING, STATUS.SERVING, STATUS.NOT_SERVING, STATUS.NOT_SERVING, STATUS.SERVING]

    async def status(_: str) -> HealthCheckResponse.ServingStatus:
        return statuses.pop(0) if len(statuses) > 1 else statuses[0]

    monkeypatch.setattr(watched.door, "status", status)
    stream = watched.watch()
    assert await watched.heard(stream, 3) == ["SERVING", "NOT_SERVING", "SERVING"]
    assert stream not in watched.line.ended
    assert [one[:3] for one in watched.line.noted] == [("Watch", "OK", "ok")]
    assert "<Admission 0 " in repr(watched.line.admission)


async def test_what_is_unknown_is_told_and_watched(client: FakeClient, watched: Watched) -> None:
    """It may be registered yet."""
    stream = watched.watch("late")
    assert await watched.heard(stream, 1) == ["SERVICE_UNKNOWN"]
    client.records["late"] = client.records["m"]
    assert await watched.heard(stream, 2) == ["SERVICE_UNKNOWN", "SERVING"]


async def test_a_gateway_that_goes_says_so_and_ends_the_call(watched: Watched) -> None:
    """With the status of a call that went well."""
    stream = watched.watch()
    await watched.heard(stream, 1)
    watched.health.leave("It is stopping.")
    watched.line.connection.leave()
    assert await watched.heard(stream, 2) == ["SERVING", "NOT_SERVING"]
    assert (await watched.line.reply(stream)).status == "0"


async def test_a_watcher_that_has_gone_is_not_looked_for(
    client: FakeClient, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it takes the call back or the connection breaks."""
    monkeypatch.setattr(grpc_watch, "LOOK_S", 60)
    streams = [watched.watch(), watched.watch()]
    for stream in streams:
        await watched.heard(stream, 1)
    before = asyncio.all_tasks()
    watched.line.send(http2.number(http2.RST_STREAM, streams[0], http2.CANCEL))
    watched.line.connection.connection_lost(None)
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) > len(before) - 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    assert [one.code for one in watched.line.noted] == ["ok", "ok"]


async def test_a_call_without_its_message_or_with_two_is_refused(watched: Watched) -> None:
    """And one whose message is none. A gateway that goes waits for none."""
    empty = watched.line.head(WATCH, flags=http2.END_HEADERS | http2.END_STREAM)
    assert (await watched.line.reply(empty)).status == "3"
    stream = watched.watch(last=False)
    watched.line.data(stream, b"")
    assert "takes one message" in (await watched.line.reply(stream)).text
    assert (await watched.line.call(WATCH, b"\xff")).status == "3"
    silent = watched.line.head(WATCH)
    watched.line.connection.leave()
    assert (await watched.line.reply(silent)).status == "0"


async def test_keys_are_asked_of_who_watches_a_model(
    client: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And asked again: one that is taken away hears no more."""
    monkeypatch.setattr(grpc_watch, "LOOK_S", 0.001)
    keys, key = tmp_path / "keys", {"x_api_key": "a-key-of-sixteen"}
    keys.write_text("ci a-key-of-sixteen read models=m\n")
    watched = Watched(client, access := Access(str(keys)))
    assert await watched.heard(watched.watch(), 1) == ["SERVING"]
    assert (await watched.line.reply(watched.watch("m"))).status == "16"
    stream = watched.watch("m", **key)
    assert await watched.heard(stream, 1) == ["SERVING"]
    keys.write_text("ci another-key-of-sixteen read\n")
    access.reread()
    assert (await watched.line.reply(stream)).status == "16"


async def test_a_fault_of_ours_ends_the_call(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log."""

    async def broken(_: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(watched.door, "status", broken)
    reply = await watched.line.reply(watched.watch())
    assert (reply.status, "secret" in reply.text) == ("13", False)
    assert "request failed" in caplog.text
