"""The metrics port."""

from __future__ import annotations

import socket

import aiohttp

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


async def page(records: dict | None) -> tuple[int, str]:
    """Status and text of the page."""
    metrics = Metrics(Records(records))  # type: ignore[arg-type]
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
