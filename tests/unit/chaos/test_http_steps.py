"""A step over HTTP: one key and one body until the gateway has answered it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from tests.chaos import http_steps
from tests.chaos.checker import Checker
from tests.chaos.claims import Content
from tests.chaos.http_steps import HttpStepping
from tests.chaos.mix import Numbers
from tests.chaos.stepping import Crowd, drawn
from tests.chaos.walks import Walk
from tests.unit.chaos.test_checker import ONE, checker, wrongs

__all__ = ["checker"]


class Gateway:
    """It breaks the first connection, refuses, waits no longer, and answers the fourth time."""

    def __init__(self, content: Content) -> None:
        self.content, self.asked, self.url = content, list[tuple[str, str]](), ""

    async def infer(self, request: web.Request) -> web.Response:
        """One POST."""
        self.asked.append((request.headers["Idempotency-Key"], await request.text()))
        if len(self.asked) == 1:
            assert request.transport
            request.transport.close()
        codes = {2: "overloaded", 3: "deadline_exceeded"}
        if code := codes.get(len(self.asked)):
            return web.json_response({"error": "no answer", "code": code}, status=503)
        x = np.array((await request.json())["inputs"][0]["data"], np.float32).reshape(1, 4)
        y, s = self.content.answer(x)
        outputs = [{"name": name, "data": a.ravel().tolist(), "shape": a.shape} for name, a in (("y", y), ("s", s))]
        return web.json_response({"model_version": "1", "outputs": outputs})


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """One that listens."""
    made = Gateway(ONE)
    app = web.Application()
    app.router.add_post("/v2/models/m/infer", made.infer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_a_step_is_asked_under_its_key_until_it_is_answered(
    checker: Checker, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes between; then it counts once."""
    monkeypatch.setattr(http_steps, "REFUSED_S", 0.0)
    callers = HttpStepping(gateway.url, checker, Numbers("t"), Crowd((), 1, 1))
    walk = Walk("m", "", 7, 2, 4)
    step = checker.step(walk, drawn(Crowd((), 1, 1).draws()[0]), 0.0)
    async with aiohttp.ClientSession() as session:
        while step.state == "open":
            await callers._ask(session, walk, step, "the key")
    assert len(gateway.asked) == 4
    assert {key for key, _ in gateway.asked} == {"the key"}
    assert len({body for _, body in gateway.asked}) == 1
    assert np.array_equal(walk.total, step.x)
    assert wrongs(checker) == {}
    assert checker.ledger.in_doubt == 1
