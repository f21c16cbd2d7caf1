"""What runs and how much it does."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from scurry.cli import top
from scurry.telemetry.process import Usage

UP = {"processes": {"worker-0": {"pid": 7, "state": "running"}, "job": {"pid": 0, "state": "restarting"}}}
RECORD = {"m": {"versions": [{"version": "1", "state": "ready", "requests": 4, "ok": 4}]}}


def test_cpu_is_of_the_time_between():
    """What does not run takes none."""
    before = top.Look(10.0, RECORD, {"worker-0": Usage(1.0, 50, 2), "job": None})
    now = top.Look(12.0, RECORD, {"worker-0": Usage(2.0, 3 << 20, 2), "job": None})
    shelf = {"worker": "http://w", "pool": "gpu", "models": 2, "bytes": 5 << 20, "budget": 9 << 20}
    told = top.summary(before, now, UP, [shelf])
    assert told["processes"] == [
        {"process": "worker-0", "state": "running", "pid": 7, "cpu_percent": 50.0, "memory": 3 << 20},
        {"process": "job", "state": "restarting", "pid": 0, "cpu_percent": 0.0, "memory": 0},
    ]
    assert told["seconds"] == 2.0
    text = top.shown(told)
    models, workers, processes = text.split("\n\n")
    assert models.splitlines()[1].split()[:3] == ["m", "1", "ready"]
    assert workers.splitlines()[1].split() == ["http://w", "gpu", "2", "5", "9"]
    assert processes.splitlines()[1].split() == ["worker-0", "running", "7", "50.0", "3"]


def test_each_worker_has_its_pool():
    """A `scurry up` of before wrote none down: all were of the default one."""
    urls = ["http://a", "http://b"]
    assert top.workers_of({"worker_urls": urls}) == [("http://a", "default"), ("http://b", "default")]
    assert top.workers_of({"worker_urls": urls, "worker_pools": ["x", "y"]}) == [("http://a", "x"), ("http://b", "y")]
    assert top.workers_of({}) == []


def test_redis_alone_tells_of_models_only():
    """No processes, no workers."""
    look = top.Look(1.0, {}, {})
    assert top.shown(top.summary(look, look, {}, [])) == "No models are registered."


async def test_a_worker_tells_of_its_shelf():
    """One that does not answer is shown without."""
    app = web.Application()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text="# HELP x\nscurry_shelf_models 3\nscurry_shelf_bytes 1048576\nother 1\n")

    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}"
            assert await top.shelf(session, url) == {"worker": url, "pool": "default", "models": 3, "bytes": 1 << 20}
            assert await top.shelf(session, "http://127.0.0.1:1", "g") == {"worker": "http://127.0.0.1:1", "pool": "g"}
    finally:
        await runner.cleanup()
