"""One reading for all who follow a model."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from scurry.gateway import live
from scurry.gateway import models as views
from scurry.gateway.live import LiveStatistics, statistics
from scurry.gateway.models import Models
from scurry.wire.errors import NotFound
from scurry.wire.messages_pb2 import Counts
from scurry.wire.statistics import counts_view


def test_counters_and_nothing_else() -> None:
    """No configuration, no signature."""
    counts = counts_view(Counts(ok=3, compute_micros=5))
    version = {"version": "1", "state": "ready", **counts}
    told = statistics("m", {"versions": [version | {"config": {}}], "unrouted": None})
    assert told.pop("at") > 1_000_000_000_000
    assert told == {"model": "m", "versions": [version], "unrouted": {}}


async def test_all_share_one_reading(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many they are; each second has its own."""
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    monkeypatch.setattr(views, "FRESH_S", 0.0)
    made = LiveStatistics(Models(client))
    for number in (1, 2):
        told = await asyncio.gather(*(made.next("m") for _ in range(50)))
        assert len(set(told)) == 1
        assert orjson.loads(told[0])["versions"][0]["version"] == "1"
        assert client.record_looks == number
    assert repr(made) == "<LiveStatistics of 0 models>"


async def test_a_model_that_is_gone_is_told_to_all(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And to nobody who has gone himself."""
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    made = LiveStatistics(Models(client))
    client.records.clear()
    told = await asyncio.gather(*(made.next("m") for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [NotFound] * 3
    left = asyncio.create_task(made.next("m"))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.sleep(0.03)
    assert repr(made) == "<LiveStatistics of 0 models>"


async def test_a_reading_that_was_is_not_the_next_one(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the moment before it is forgotten: a stream that got it again at once would never let the loop go."""
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    made = LiveStatistics(Models(client))
    reading = asyncio.create_task(made.next("m"))
    await asyncio.sleep(0)
    (task,) = made._next.values()
    await asyncio.wait([task])
    made._next["m"] = task
    assert await made.next("m") != await reading
