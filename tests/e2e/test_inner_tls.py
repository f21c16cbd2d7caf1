"""The job asks functions and a worker over mutual TLS, also once every certificate is another's."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from benchmarks.children import Children
from tests.certificates import Authority
from tests.doubling import save_double

from scurry.client.client import Client
from scurry.job import jars
from scurry.serving import java, redis_server
from scurry.serving.addresses import LOCAL, choose
from scurry.serving.folder import Folder
from scurry.serving.plans import Plans, usable_cores
from scurry.serving.processes import Child, Plan
from scurry.serving.readiness import http_says_ready, log_says, redis_answers, until
from scurry.settings import UpSettings

START_S = 120.0


class Secured:
    """Redis, functions, a worker and the job as `scurry up` runs them, but over TLS; certificates in one folder."""

    def __init__(self, folder: Path) -> None:
        settings = UpSettings(dir=str(folder / "up"), workers=1)
        self.at, self._files = choose(settings, 1, {}), Folder(folder / "up")
        self._files.claim()
        self._plans, self._children = Plans(settings, self.at, self._files, os.environ), Children()
        self.ca, self._certs = folder / "ca.pem", folder / "certs"
        self._certs.mkdir()

    def vouch(self, authority: Authority) -> None:
        """From now on it is the only one that is trusted, and has signed what everybody shows."""
        for name in ("functions", "worker", "job"):
            for file, made in zip(self._pair(name), authority.sign(name), strict=True):
                file.write_bytes(Path(made).read_bytes())
        self.ca.write_bytes(authority.file.read_bytes())

    def _pair(self, name: str) -> tuple[Path, Path]:
        return self._certs / f"{name}.crt", self._certs / f"{name}.key"

    def _over_tls(self, plan: Plan, name: str) -> Plan:
        names = ("SCURRY_TLS_CERT", "SCURRY_TLS_KEY", "SCURRY_TLS_CLIENT_CA")
        paths = map(str, (*self._pair(name), self.ca))
        return replace(plan, environ={**plan.environ, **dict(zip(names, paths, strict=True))})

    async def start(self) -> None:
        """All of it, probed as Kubernetes does: without a certificate."""
        redis = await self._children.run(self._plans.redis(redis_server.find(os.environ)))
        await until(partial(redis_answers, self.at.redis_url), redis, "redis", START_S)
        job = jars.find(os.environ)
        await self._serve(self._plans.functions(job), "functions", self.at.functions)
        self.worker = await self.start_worker()
        names = ("SCURRY_TLS_CA", "SCURRY_TLS_CLIENT_CERT", "SCURRY_TLS_CLIENT_KEY")
        told = dict(zip(names, map(str, (self.ca, *self._pair("job"))), strict=True))
        for name, port in (("SCURRY_FUNCTIONS", self.at.functions), ("SCURRY_WORKERS", self.at.workers[0])):
            told[name] = f"https://{LOCAL}:{port}"
        plan = self._plans.job(java.find(os.environ), job)
        self.job = await self._children.run(replace(plan, environ={**plan.environ, **told}))
        await until(lambda: log_says(self.job, java.READY_LINE), self.job, "job", START_S)

    async def start_worker(self) -> Child:
        """One more process in the place of the worker."""
        return await self._serve(self._plans.workers(usable_cores())[0], "worker", self.at.workers[0])

    async def _serve(self, plan: Plan, name: str, port: int) -> Child:
        child = await self._children.run(self._over_tls(plan, name))
        await until(partial(http_says_ready, LOCAL, port, "/readyz", tls=True), child, name, START_S)
        return child

    async def stop(self) -> None:
        """End everything now."""
        await self._children.stop()
        self._files.release()


@asynccontextmanager
async def secured(folder: Path, authority: Authority) -> AsyncIterator[Secured]:
    """It runs, and trusts this one."""
    one = Secured(folder)
    one.vouch(authority)
    try:
        await one.start()
        yield one
    finally:
        await one.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Its logs are shown when it fails."""
    yield tmp_path
    for log in sorted((tmp_path / "up" / "logs").glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()[-3000:]}")


async def ask(client: Client, count: int) -> None:
    """So many requests at once, each with its own right answer."""
    asked = [client.infer("double", {"x": np.full((1, 1), n, np.float32)}, timeout=60) for n in range(count)]
    assert [float(one["y"][0, 0]) for one in await asyncio.gather(*asked)] == [2.0 * n for n in range(count)]


async def seen(port: int, ca: Path) -> tuple[int, str]:
    """By one who has no certificate: the status that a call gets, and the page for Prometheus."""
    trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(ca)))
    async with aiohttp.ClientSession(f"https://{LOCAL}:{port}", connector=trusting) as session:
        async with session.post("/calls", data=b"") as answer:
            status = answer.status
        async with session.get("/metrics") as answer:
            return status, await answer.text()


async def test_models_are_registered_and_asked_and_certificates_change(folder: Path) -> None:
    """Strangers get the pages alone. With another authority in all files the job goes on; a worker leaves in peace."""
    (folder / "later").mkdir()
    first, later = Authority(folder, "first"), Authority(folder / "later", "later")
    model = save_double(folder / "double.onnx")
    async with secured(folder, first) as one, Client(one.at.redis_url) as client:
        await client.registry.register("double", model)
        await ask(client, 50)
        for port in (one.at.functions, one.at.workers[0]):
            status, page = await seen(port, first.file)
            assert status == 401
        assert 'code="ok"} 50' in page
        one.vouch(later)
        one.worker.kill()
        await one.worker.end()
        waiting = asyncio.create_task(ask(client, 50))
        one.worker = await one.start_worker()
        await waiting
        await ask(client, 50)
        assert (await seen(one.at.workers[0], later.file))[0] == 401
        assert "Certificates were read again" in one.job.said()
        assert one.job.exit_code is None
        os.kill(one.worker.pid, signal.SIGTERM)
        assert await asyncio.wait_for(one.worker.end(), 20) == 0
