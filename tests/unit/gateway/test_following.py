"""Several results, each once and as soon as it is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.unit.gateway import later
from tests.unit.gateway.later import FORM, call

from scurry.gateway import following
from scurry.gateway.following import follow
from scurry.wire.errors import NotFound

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results


async def submitted(results: Results, count: int) -> list[str]:
    """Ids of requests."""
    ids = [await results.id_for("", "") for _ in range(count)]
    for one in ids:
        await results.submit(call(one), FORM)
    return ids


async def test_each_is_told_once(results: Results, job: Job) -> None:
    """Those that are there at once, those that come, and those that nobody knows."""
    (first,) = await submitted(results, 1)
    job.answers = False
    second, third = await submitted(results, 2)
    seen: list[str] = []
    async for request_id, found in follow(results, [third, first, "f" * 32, second], ""):
        seen.append(request_id)
        assert isinstance(found, NotFound) is (request_id == "f" * 32)
        if len(seen) == 2:
            assert set(seen) == {first, "f" * 32}
            asyncio.get_running_loop().call_later(0.01, job.answer)
    assert sorted(seen) == sorted([first, second, third, "f" * 32])


async def test_what_no_notice_told_of_is_looked_for(
    results: Results, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every so often, all of them at once."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    job.answers = False
    (request_id,) = await submitted(results, 1)
    asyncio.get_running_loop().call_later(0.01, lambda: job.reply_to(job.fields[0]))
    assert [one async for one, _ in follow(results, [request_id], "")] == [request_id]


async def test_who_stops_following_is_told_no_more(results: Results, job: Job) -> None:
    """Nothing is kept for him."""
    job.answers = False
    ids = await submitted(results, 3)
    task = asyncio.create_task(anext(follow(results, ids, "")))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    assert "3 ids watched" in repr(results)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "0 ids watched" in repr(results)
