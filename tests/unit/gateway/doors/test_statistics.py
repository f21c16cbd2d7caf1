"""A model's counters, once or every second."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from tests.unit.gateway.doors.test_live_events import Outlet

from scurry.gateway import live
from scurry.gateway import models as views
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.event_stream import EventReply
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.doors.statistics import StatisticsHttp
from scurry.gateway.limits import Admission
from scurry.gateway.live import LiveStatistics
from scurry.gateway.models import Models


async def ask(client: Any, method: str, target: str, **headers: str) -> HttpReply:
    """One request to the door."""
    door = StatisticsHttp(LiveStatistics(Models(client)))
    return await answered(door, Head(method, target, headers, 0, True), b"", Admission(100).room())


async def test_once_as_json(client: Any) -> None:
    """For whoever asks for no events."""
    reply = await ask(client, "GET", "/v2/statistics/m")
    assert reply.status == 200
    assert orjson.loads(reply.parts[0])["model"] == "m"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v2/statistics/nobody", 404), ("GET", "/v2/statistics", 404), ("GET", "/v2/statistics/a/b", 404),
        ("POST", "/v2/statistics/m", 405),
    ],
)  # fmt: skip
async def test_what_is_not_there(client: Any, method: str, target: str, status: int) -> None:
    """With or without events, before the stream has begun."""
    for headers in ({}, {"Accept": "text/event-stream"}):
        reply = await ask(client, method, target, **headers)
        assert reply.status == status
        assert orjson.loads(reply.parts[0])["error"]


async def test_every_second_until_the_model_is_gone(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last event says why it is the last."""
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    monkeypatch.setattr(views, "FRESH_S", 0.0)
    reply = await ask(client, "GET", "/v2/statistics/m", Accept="text/event-stream")
    assert isinstance(reply, EventReply)
    outlet = Outlet()
    reply.events.open(outlet)
    await asyncio.sleep(0.05)
    client.records.clear()
    await asyncio.sleep(0.05)
    reply.events.close()
    kinds = [data.split(b"\n")[0] for data in outlet.sent]
    assert len(kinds) >= 3
    assert kinds[-1] == b"event: error"
    assert set(kinds[:-1]) == {b"event: statistics"}
    assert b"model_not_found" in outlet.sent[-1]
    assert outlet.ended
