"""Redis, functions, workers and the job as `scurry up` runs them, in parts and numbers of one's own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.children import Children

from scurry.job import jars
from scurry.serving import java, redis_server
from scurry.serving.addresses import LOCAL, Addresses, choose
from scurry.serving.folder import Folder
from scurry.serving.plans import Plans, usable_cores
from scurry.serving.readiness import http_says_ready, log_says, redis_answers, until
from scurry.settings import UpSettings

START_S = 60.0


class Surroundings:
    """What was started, to be ended together; files in one folder."""

    def __init__(self, folder: Path, workers: int) -> None:
        settings = UpSettings(dir=str(folder), workers=workers)
        self.at, self._files = choose(settings, workers, {}), Folder(folder)
        self._files.claim()
        self._plans = Plans(settings, self.at, self._files, os.environ)
        self._children = Children()

    async def start(self, worker: Sequence[str] = ()) -> None:
        """Redis, functions and workers; these by `-m scurry` or by another module that takes the same words."""
        redis = await self._children.run(self._plans.redis(redis_server.find(os.environ)))
        await until(partial(redis_answers, self.at.redis_url), redis, "redis", START_S)
        functions, workers = self._plans.functions(jars.find(os.environ)), self._plans.workers(usable_cores())
        if worker:
            workers = [replace(plan, command=[*plan.command[:1], *worker, *plan.command[3:]]) for plan in workers]
        plans = ((functions, self.at.functions), *zip(workers, self.at.workers, strict=True))
        ports = [(await self._children.run(plan), port) for plan, port in plans]
        for child, port in ports:
            await until(partial(http_says_ready, LOCAL, port, "/readyz"), child, child.plan.name, START_S)

    async def start_job(self, partitions: int = 1, slots: int = 1) -> None:
        """Flink in one process, with so many request streams and task slots."""
        job = jars.find(os.environ)
        module = self._files.path / "module.yaml"
        module.write_text(job.module.read_text().replace("  id: scurry/requests\n", ingress(partitions), 1))
        plan = self._plans.job(java.find(os.environ), replace(job, module=module))
        child = await self._children.run(replace(plan, command=[*plan.command, "--parallelism", str(slots)]))
        await until(lambda: log_says(child, java.READY_LINE), child, "job", 2 * START_S)

    async def stop(self) -> None:
        """End everything now."""
        await self._children.stop()
        self._files.release()

    def __repr__(self) -> str:
        return f"<Surroundings of {len(self._children)} processes>"


def ingress(partitions: int) -> str:
    """The first line of the ingress' spec, and the one that numbers its streams."""
    return f"  id: scurry/requests\n  partitions: {partitions}\n"


@contextlib.asynccontextmanager
async def surroundings(folder: Path) -> AsyncIterator[Addresses]:
    """Redis, functions and one worker."""
    started = Surroundings(folder, workers=1)
    try:
        await started.start()
        yield started.at
    finally:
        await started.stop()
