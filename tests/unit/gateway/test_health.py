"""Readiness is what the neighbours answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.gateway.health import Health, is_ready
from scurry.wire.errors import error


async def test_an_unknown_model_proves_that_the_job_answers(client: Any) -> None:
    """The probe has been through ingress, router and egress."""
    report = await Health(client).report()
    assert report == {"redis": "ok", "job": "ok"}
    assert is_ready(report)


@pytest.mark.parametrize("code", ["deadline_exceeded", "unavailable"])
async def test_a_job_that_is_silent_is_not_ready(client: Any, code: str) -> None:
    """Those codes are made on this side of Redis."""
    client.failure = error(code, "No answer within 3 s.")
    report = await Health(client).report()
    assert report == {"redis": "ok", "job": "No answer within 3 s."}
    assert not is_ready(report)


async def test_without_redis_the_job_is_not_asked(client: Any) -> None:
    """One sentence says why."""
    client.redis = error("unavailable", "Redis at host:1 does not answer.")
    report = await Health(client).report()
    assert "Redis at host:1" in report["redis"]
    assert client.asked == []
    assert not is_ready(report)


async def test_a_lost_connection_is_told(client: Any) -> None:
    """Whatever the socket says."""
    client.redis = ConnectionResetError("reset by peer")
    assert (await Health(client).report())["redis"] == "reset by peer"
    client.redis, client.failure = None, ConnectionResetError()
    assert (await Health(client).report())["job"] == "does not answer"


async def test_probes_of_the_same_second_share_one_answer(client: Any) -> None:
    """Probing is never a load."""
    health = Health(client)
    await asyncio.gather(*(health.report() for _ in range(10)))
    await health.report()
    assert len(client.asked) == 1
