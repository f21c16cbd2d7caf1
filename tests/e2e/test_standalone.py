"""Standalone mode with real processes: refused, upgraded and rescaled under load, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shlex
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks.flink_cluster import Cluster, shipped
from benchmarks.surroundings import Surroundings
from tests.chaos.checker import Checker
from tests.chaos.door import Door
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.mix import Mix, Numbers, Subject
from tests.chaos.registering import Registering
from tests.chaos.replies import Decoder, Reader
from tests.chaos.stack import exists
from tests.chaos.timeline import Timeline
from tests.conftest import ROOT, clean_environment

RATE = 80.0
SEED = 7
MODELS = ("plain-0", "plain-1", "wide")
STREAM = "scurry:replies:rehearsal"
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


async def until(holds: Callable[[], bool], seconds: float) -> None:
    """Return when it holds, or the time is over."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:  # noqa: ASYNC110 - what threads and processes do sets no event
        await asyncio.sleep(0.1)


class Ledgered:
    """Load whose every request is accounted for, from registering to the last answer."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.checker = Checker(timeline := Timeline())
        numbers = Numbers(f"{int(time.time()) & 0xFFFFFF:x}")
        subjects = [Subject("plain-0"), Subject("plain-1", ("", "1")), Subject("wide", weight=1, width=4096)]
        decoder = Decoder(redis_url, numbers)
        self._reader = Reader(redis_url, STREAM, lambda fields, at: self.checker.replied(decoder.seen(fields, at)))
        mix = Mix(subjects, numbers, STREAM, random.Random(SEED))
        self._load = Load(Door(redis_url), mix, self.checker, RATE)
        stack: Any = SimpleNamespace(redis_url=redis_url)
        Registering(stack, timeline, folder, SEED).all(MODELS)

    def begin(self) -> None:
        """Ask from now on."""
        self._reader.start()
        self._load.start()

    async def answered(self, seconds: float = 60.0) -> float:
        """Return how long it took until requests sent from now on are answered."""
        begin = time.monotonic()
        await until(lambda: self.checker.last_answer > begin and self.checker.waiting < RATE, seconds)
        assert self.checker.last_answer > begin, f"nothing was answered within {seconds} s"
        return time.monotonic() - begin

    async def end(self) -> Ledger:
        """Ask no more, wait for what is open and two checkpoints for what may come twice."""
        await asyncio.to_thread(self._load.stop)
        await until(lambda: not self.checker.waiting, 60)
        await asyncio.sleep(3)
        await asyncio.to_thread(self._reader.stop)
        failures = [one.failure for one in (self._load, self._reader) if one.failure]
        assert not failures, failures
        return self.checker.finish()


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
        return first

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
    """A JobManager with another worker address says so and stops, each time; with the former one it goes on."""
    sentences = set()
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
