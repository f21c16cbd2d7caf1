"""Pages on a port of their own."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from aiohttp import web

from scurry.telemetry.pages import Pages, scraped
from scurry.telemetry.prometheus import Figure


async def figures(_: web.Request) -> web.Response:
    """One figure."""
    return scraped([Figure("a_total", "counter", "What it is", 3)])


async def test_what_there_is_and_nothing_else() -> None:
    """Nobody is told which server it is."""
    pages = Pages("metrics", {"/metrics": figures})
    assert repr(pages) == "<Pages: metrics, closed>"
    port = await pages.open("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/metrics") as answer:
                assert (answer.status, "a_total 3\n" in await answer.text()) == (200, True)
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                assert "Server" not in answer.headers
            async with session.get("/other") as answer:
                assert answer.status == 404
    finally:
        await pages.close()


async def test_a_taken_port_is_said_and_done_without(caplog: pytest.LogCaptureFixture) -> None:
    """Closing is no mistake, nor is it before anything was opened."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        pages = Pages("metrics", {"/metrics": figures})
        assert await pages.open("127.0.0.1", taken.getsockname()[1]) == 0
        await pages.close()
    assert "metrics are not served" in caplog.text
    await Pages("none", {}).close()
