"""Standalone mode with real processes: refused, upgraded and rescaled under load, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from benchmarks.flink_cluster import Cluster, shipped
from benchmarks.surroundings import Surroundings
from tests.chaos.ledger import Ledger
from tests.chaos.ledgered import Ledgered, until
from tests.chaos.stack import exists
from tests.conftest import ROOT, clean_environment

LOSS_S = 60.0
"""A TaskManager's loss is given up on after this; what it took is printed."""

START = """#!/bin/sh
# start WORKERS SAVEPOINT PARALLELISM: ends the JobManager there is and starts another, as a service manager would.
cd {folder}
old=$(cat jobmanager.pid)
kill "$old" 2>/dev/null
while grep -qsv ') Z ' "/proc/$old/stat"; do sleep 0.1; done
{exports}
export SCURRY_WORKERS="$1"
exec </dev/null >>logs/started.log 2>&1
{command} ${{2:+"-Dexecution.savepoint.path=$2"}} ${{3:+"-Dparallelism.default=$3"}} &
echo $! >jobmanager.pid
"""


class Rehearsal:
    """A cluster whose JobManager is started by a script, and `scurry job` against it."""

    def __init__(self, folder: Path, around: Surroundings) -> None:
        self.folder, at = folder / "flink", around.at
        self.old, self.new = at.worker_urls
        environ = {"SCURRY_REDIS_URL": at.redis_url, "SCURRY_FUNCTIONS": at.functions_url}
        self._given = environ | {"SCURRY_WORKERS": self.old}
        settings = {
            **shipped(), "parallelism.default": "1", "taskmanager.numberOfTaskSlots": "1",
            "execution.checkpointing.interval": "1 s", "jobmanager.memory.process.size": "900m",
            "taskmanager.memory.process.size": "900m", "taskmanager.memory.managed.size": "16m",
            "taskmanager.memory.network.min": "32m", "taskmanager.memory.network.max": "32m",
        }  # fmt: skip
        self.cluster = Cluster(self.folder, settings, clean_environment() | self._given)
        self.script = self.folder / "start"

    async def start(self) -> Any:
        """JobManager and two TaskManagers of one slot; the one that runs the job."""
        manager, first = await self.cluster.start()
        await self.cluster.add_task_manager()
        (self.folder / "jobmanager.pid").write_text(str(manager.pid))
        exports = {**self._given, "FLINK_CONF_DIR": str(self.folder / "conf")}
        self.script.write_text(START.format(
            folder=shlex.quote(str(self.folder)), command=shlex.join(manager.plan.command),
            exports="\n".join(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
        ))  # fmt: skip
        self.script.chmod(0o755)
        self._beside = (manager.plan.command, clean_environment() | exports)
        return first

    async def beside(self, workers: str) -> tuple[int, str]:
        """Another JobManager beside the one that leads, as a Deployment begins to replace a pod: status, last line."""
        command, environ = self._beside
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=environ | {"SCURRY_WORKERS": workers},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, told.decode().strip().rpartition("\n")[2]

    def command(self, workers: str) -> str:
        """What `--start-with` is given."""
        return f"{shlex.quote(str(self.script))} {workers} {{savepoint}} {{parallelism}}"

    async def job(self, *words: str) -> tuple[int, dict[str, Any]]:
        """`scurry job …` and what it prints as JSON."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scurry", "job", *words, "--flink-url", self.cluster.rest_url, "--json",
            stdout=asyncio.subprocess.PIPE, env=clean_environment(), cwd=ROOT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode or 0, json.loads(told)

    async def restart(self, workers: str) -> None:
        """As when a pod is replaced: no savepoint, only other settings."""
        process = await asyncio.create_subprocess_exec("/bin/sh", str(self.script), workers)
        assert await process.wait() == 0

    async def refused(self) -> str:
        """The last line of a JobManager that ended by itself."""
        pid = int((self.folder / "jobmanager.pid").read_text())
        await until(lambda: not exists(pid), 60)
        assert not exists(pid), "it still runs"
        lines = (self.folder / "logs" / "started.log").read_text().splitlines()
        return next((line for line in reversed(lines) if line.startswith("High availability keeps")), "it said nothing")

    async def stop(self) -> None:
        """End everything."""
        with suppress(OSError, ValueError):
            os.kill(int((self.folder / "jobmanager.pid").read_text()), signal.SIGKILL)
        await self.cluster.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Its logs are shown when it fails."""
    yield tmp_path
    for log in sorted((tmp_path / "flink" / "logs").glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()[-3000:]}")


def test_a_job_is_refused_upgraded_and_rescaled_under_load(folder: Path) -> None:
    """Another worker address is refused, then taken by an upgrade; 1 becomes 2; a TaskManager is lost: lost 0."""
    ledger = asyncio.run(rehearse(folder))
    print("\n".join(ledger.lines()))
    assert ledger.holds, "\n".join(ledger.lines())


async def rehearse(folder: Path) -> Ledger:
    """All of it, one after the other."""
    around = Surroundings(folder / "up", workers=2)
    rehearsal = Rehearsal(folder, around)
    try:
        await around.start()
        first = await rehearsal.start()
        load = await asyncio.to_thread(Ledgered, around.at.redis_url, folder / "models")
        load.begin()
        await load.answered()
        await refuse(rehearsal, load)
        await upgrade(rehearsal, load)
        await lose(rehearsal, load, first)
        return await load.end()
    finally:
        await rehearsal.stop()
        await around.stop()


async def refuse(rehearsal: Rehearsal, load: Ledgered) -> None:
    """A JobManager with another worker address says so and stops, beside the former or in its place."""
    status, sentence = await rehearsal.beside(rehearsal.new)
    assert status == 2, sentence
    assert (await rehearsal.job("status"))[1]["state"] == "RUNNING"
    await load.answered()
    sentences = {sentence}
    for _ in range(2):
        await rehearsal.restart(rehearsal.new)
        sentences.add(await rehearsal.refused())
    (sentence,) = sentences
    assert "differs from this one in the module," in sentence
    assert "run `scurry job upgrade`" in sentence
    await rehearsal.restart(rehearsal.old)
    await load.answered()


async def upgrade(rehearsal: Rehearsal, load: Ledgered) -> None:
    """The other address, which is asked then; one that is none is rolled back; then the other parallelism."""
    old, new = rehearsal.command(rehearsal.old), rehearsal.command(rehearsal.new)
    await running(rehearsal)
    status, told = await rehearsal.job("upgrade", "--start-with", new, "--roll-back-with", old)
    assert status == 0, told
    await load.answered()
    before = [asked(url) for url in (rehearsal.old, rehearsal.new)]
    await load.answered()
    after = [asked(url) for url in (rehearsal.old, rehearsal.new)]
    assert after[0] == before[0], "the former worker is still asked"
    assert after[1] > before[1], "the new worker is not asked"
    nonsense = ("upgrade", "--timeout", "12", "--start-with", rehearsal.command("nonsense"), "--roll-back-with", new)
    status, told = await rehearsal.job(*nonsense)
    assert status == 1, told
    assert "The former one goes on from the same savepoint" in told["message"], told
    await load.answered()
    status, told = await rehearsal.job("rescale", "2", "--start-with", new)
    assert (status, told["job"]["parallelism"]) == (0, 2), told
    await load.answered()


def asked(url: str) -> float:
    """Requests that a worker was asked since it started."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("scurry_worker_requests_total"))


async def running(rehearsal: Rehearsal) -> None:
    """Return once all of the job runs again."""
    for _ in range(240):
        status, told = await rehearsal.job("status")
        if status == 0 and told["state"] == "RUNNING" and told["tasks"] == told["tasks_running"]:
            return
        await asyncio.sleep(0.25)
    pytest.fail(f"the job does not run: {told}")


async def lose(rehearsal: Rehearsal, load: Ledgered, first: Any) -> None:
    """A TaskManager is killed while a third has a free slot."""
    await rehearsal.cluster.add_task_manager()
    killed = time.monotonic()
    first.kill()
    await first.end()
    await asyncio.sleep(1)
    await load.answered(LOSS_S)
    await running(rehearsal)
    print(f"a TaskManager's loss took {time.monotonic() - killed:.1f} s at most")
