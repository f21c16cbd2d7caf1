"""How long answers stay away when Flink's processes are killed in standalone application mode, as on Kubernetes.

Run it on a quiet machine: `python -m benchmarks.standalone` (seven minutes). Every case has a cluster of its own, and
is measured with Flink's default heartbeats and with the settings that the chart ships.

taskmanager, spare   the one that runs the job, while another has free slots
taskmanager, alone   the only one, started again at once, as its Deployment does
jobmanager           started again at once; it takes the job over from the newest checkpoint

ZooKeeper stands in for the lease at the API server, with a session as long as the lease (15 s, and what we ship).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from benchmarks import machine, models
from benchmarks.flink_cluster import Cluster, shipped, untuned
from benchmarks.outages import Asked
from benchmarks.registering import register_one
from benchmarks.surroundings import surroundings

from scurry.client.client import Client
from scurry.serving.addresses import Addresses
from scurry.serving.processes import Child
from scurry.serving.readiness import until

RATE = 50
"""Requests a second."""
PATIENCE_S = 60.0
"""A request that is not answered by then is lost."""
BACK_S, AFTER_S = 240.0, 5.0
CASES = ("taskmanager, spare", "taskmanager, alone", "jobmanager")
SETTINGS = {"Flink's defaults": untuned, "ours": shipped}


async def ask_until(over: asyncio.Event, client: Client, asked: Asked) -> None:
    """Ask at a steady rate, and wait for the last answer."""
    begin, tasks = time.perf_counter(), list[asyncio.Task[None]]()
    while not over.is_set():
        await asyncio.sleep(max(0.0, begin + len(tasks) / RATE - time.perf_counter()))
        tasks.append(asyncio.create_task(asked.ask(client, PATIENCE_S)))
    await asyncio.gather(*tasks)


async def checkpointed(cluster: Cluster) -> None:
    """Return when a checkpoint is completed that was not there a second from now."""
    since = time.time() + 1

    async def is_there() -> bool:
        return bool(machine.checkpoint_bytes(cluster.checkpoints, since))

    await until(is_there, None, "the job", BACK_S)


async def kill(cluster: Cluster, victim: Child, *, again: bool, redis_url: str) -> tuple[Asked, float]:
    """What was answered around its death, and when it died."""
    asked, over = Asked(), asyncio.Event()
    async with Client(redis_url) as client:
        load = asyncio.create_task(ask_until(over, client, asked))
        await checkpointed(cluster)
        killed = time.perf_counter()
        print(f"{victim.plan.name} is killed at {datetime.now():%H:%M:%S.%f}", file=sys.stderr)  # as Flink logs it
        victim.kill()
        await victim.end()
        if again:
            await victim.start()
        await checkpointed(cluster)  # the job runs again
        await asyncio.sleep(AFTER_S)
        over.set()
        await load
    return asked, killed


async def measure(case: str, name: str, folder: Path) -> str:
    """A row of the table."""
    async with surroundings(folder / "up") as at:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("SCURRY_")}
        cluster = Cluster(folder / "flink", SETTINGS[name](), environ | addresses(at))
        try:
            job_manager, task_manager = await cluster.start()
            tiny = models.dense(folder / "tiny.onnx", 16, 32, 4)
            await asyncio.to_thread(register_one, at.shown(), "tiny", tiny, 64)
            if case != "taskmanager, alone":
                await cluster.add_task_manager()
            victim = job_manager if case == "jobmanager" else task_manager
            again = case != "taskmanager, spare"
            asked, killed = await kill(cluster, victim, again=again, redis_url=at.redis_url)
        finally:
            await cluster.stop()
    lost = asked.errors.pop("deadline_exceeded", 0)
    errors = ", ".join(f"{count} × {code}" for code, count in asked.errors.items()) or "0"
    return row(case, name, f"{asked.silence(killed):.1f}", errors, str(lost))


def addresses(at: Addresses) -> dict[str, str]:
    """What the job's module.yaml reads."""
    return {
        "SCURRY_REDIS_URL": at.redis_url,
        "SCURRY_FUNCTIONS": at.functions_url,
        "SCURRY_WORKERS": ",".join(at.worker_urls),
    }


def row(case: str, name: str, gap: str, errors: str, lost: str) -> str:
    """A line of the table."""
    return f"{case:<20} {name:<18} {gap:>38} {errors:>12} {lost:>6}"


async def table(cases: list[str], logs: Path | None) -> None:
    """Print it, row by row."""
    print(row("killed", "settings", "longest gap without an answer in s", "errors", "lost"), flush=True)
    for case in cases:
        for name in SETTINGS:
            with tempfile.TemporaryDirectory(prefix="scurry-standalone-") as folder:
                try:
                    print(await measure(case, name, Path(folder)), flush=True)
                finally:
                    if logs is not None:
                        kept = logs / f"{case}, {name}".replace(", ", "-").replace(" ", "-").replace("'", "")
                        shutil.copytree(Path(folder) / "flink/logs", kept, dirs_exist_ok=True)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, help="one case")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep what Flink logged there")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends all it started, as Ctrl-C does
    asyncio.run(table([given.only] if given.only else list(CASES), given.logs))
    print("ZooKeeper stands in for the lease at Kubernetes' API server.")
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
