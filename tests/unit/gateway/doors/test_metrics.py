"""The metrics port."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from scurry.gateway.doors import metrics as module
from scurry.gateway.doors.metrics import Metrics
from scurry.wire.errors import Unavailable


class Records:
    """Stands in for `Models`."""

    def __init__(self, records: dict | None) -> None:
        self._records = records

    async def records(self) -> dict:
        if self._records is None:
            raise Unavailable("unavailable", "No Redis.")
        return self._records


class Report:
    """Stands in for `Health`; without a report it takes its time."""

    def __init__(self, report: dict[str, str] | None) -> None:
        self._report = report

    async def report(self) -> dict[str, str]:
        if self._report is None:
            await asyncio.sleep(60)
        return self._report or {}


async def page(records: dict | None, *, connected: bool = True, health: Report | None = None) -> tuple[int, str]:
    """Status and text of the page."""
    metrics = Metrics(Records(records), health=health)  # type: ignore[arg-type]
    metrics.connected = connected
    port = await metrics.open("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.status, await answer.text()
    finally:
        await metrics.close()


async def test_the_page_shows_the_view():
    """Beside what the process itself counts; without Redis that alone, and it says so."""
    status, text = await page({"m": {"model": "m", "versions": [{"version": "1", "requests": 3}]}})
    assert (status, 'scurry_requests_total{model="m",version="1"} 3' in text) == (200, True)
    assert "scurry_view_up 1\n" in text
    status, text = await page(None)
    assert (status, "scurry_view_up 0\n" in text, "scurry_requests_total" in text) == (200, True, False)
    assert "process_resident_memory_bytes" in text


async def test_a_taken_port_is_done_without():
    """Callers are served all the same."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        metrics = Metrics(Records({}))  # type: ignore[arg-type]
        assert await metrics.open("127.0.0.1", taken.getsockname()[1]) == 0
        await metrics.close()


@pytest.mark.parametrize(
    ("report", "ready"), [({"redis": "ok", "job": "ok"}, 1), ({"redis": "ok", "job": "It restarts."}, 0), (None, 0)]
)
async def test_readiness_is_a_figure(report, ready, monkeypatch):
    """As the probe says; a scrape does not wait for one that says nothing."""
    monkeypatch.setattr(module, "READY_S", 0.05)
    _, text = await page({}, health=Report(report))
    assert f"scurry_gateway_ready {ready}\n" in text


async def test_before_redis_is_there_the_page_asks_nothing_of_it():
    """The process is seen, and is not ready."""
    status, text = await page({"m": {"model": "m"}}, connected=False, health=Report({"redis": "ok"}))
    assert (status, "scurry_gateway_ready 0\n" in text, "scurry_view_up 0\n" in text) == (200, True, True)
    assert "process_resident_memory_bytes" in text
