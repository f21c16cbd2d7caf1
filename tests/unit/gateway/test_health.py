"""Readiness is what the neighbours answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from scurry.gateway.health import Health, is_ready, restarting
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


async def test_a_job_that_restarts_in_a_loop_is_not_ready(client: Any) -> None:
    """Between two restarts it may well answer a probe."""
    client.told_of_job = {"restarts": "7", "started": str(int(time.time() * 1000) - 2000)}
    report = await Health(client).report()
    assert report["job"].startswith("It restarts in a loop: 7 times so far")
    assert not is_ready(report)


@pytest.mark.parametrize(
    ("job", "loops"),
    [
        ({}, False),
        ({"restarts": "0", "started": "1000000"}, False),
        ({"restarts": "2", "started": "1000000"}, False),
        ({"restarts": "3", "started": "1000000"}, True),
        ({"restarts": "99", "started": "960000"}, False),
    ],
)
def test_a_few_restarts_or_old_ones_are_no_loop(job: dict[str, str], loops: bool) -> None:
    """Three or more, and the last within half a minute."""
    assert bool(restarting(job, 1010.0 if job.get("started") == "1000000" else 1000.0)) is loops


async def test_one_that_stops_is_not_ready_at_once(client: Any) -> None:
    """Whatever stands behind it, and without asking there."""
    health = Health(client)
    assert is_ready(await health.report())
    health.leave("It is stopping.")
    assert await health.report() == {"redis": "ok", "job": "ok", "gateway": "It is stopping."}
    assert not is_ready(await health.report())
    assert is_ready({"redis": "ok", "job": "ok"})
