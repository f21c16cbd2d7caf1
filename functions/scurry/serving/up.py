"""`scurry up`: everything on one machine, started in order and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from scurry.client.client import Client
from scurry.job import jars
from scurry.redis.address import Address
from scurry.serving import graces, java, leftovers, pools, redis_log, redis_server
from scurry.serving.addresses import LOCAL, Addresses, choose, shown
from scurry.serving.folder import ADDRESSES, PORTS, Folder, FolderInUse, expanded
from scurry.serving.keeping import Keeper
from scurry.serving.overview import Overview
from scurry.serving.plans import Plans, gateway_count, usable_cores, worker_count
from scurry.serving.ports import PortTaken
from scurry.serving.processes import Child, Plan, StartFailed
from scurry.serving.readiness import BRIDGE_LINE, GATEWAY_LINE, Check, http_says_ready, log_says, redis_answers, until
from scurry.serving.report import Report
from scurry.serving.shared_memory import SharedMemory
from scurry.settings import UpSettings

CANNOT_START: Final = (
    FolderInUse, PortTaken, StartFailed, java.MissingJava, jars.MissingJob, redis_server.MissingRedis,
)  # fmt: skip
"""Each carries one sentence that says what is wrong."""

CHECKPOINTS: Final = "flink/checkpoints"
REDIS_S: Final = 120.0
OTHERS_S: Final = 10.0
PYTHON_S: Final = 60.0
JOB_S: Final = 180.0
GATEWAY_S: Final = PYTHON_S + REDIS_S
GATEWAY_READY: Final = "/v2/health/ready"


class Up:
    """All processes of one machine.

    Order of start: Redis; then functions, workers, job, gateways and bridge side by side, each awaited until ready.
    Order of stop: gateways and bridge, then the job, then functions and workers, then Redis.
    """

    def __init__(self, settings: UpSettings, environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self.folder = Folder(expanded(settings.dir))
        self._memory = SharedMemory(settings, self.folder.path)
        self._settings = settings
        self._environ = environ
        self._tell = tell
        self._cores = usable_cores()
        self._keepers: list[Keeper] = []
        self._shortening: asyncio.Task[None] | None = None
        self._ready = False
        self._report, self._overview = Report(self.folder, self._facts), Overview(self._facts)
        self.addresses: Addresses

    async def start(self) -> None:
        """Return when every process is ready. Raises one of `CANNOT_START`."""
        try:
            self.folder.claim()
            take_over(self.folder, self._tell)
            await self._start()
        except OSError as exc:
            raise StartFailed(f"The directory {self.folder.path} cannot be used: {exc.strerror}.") from None

    async def _start(self) -> None:
        job, java_path = found_job(self._settings, self._environ), java.find(self._environ)
        server = None if self._settings.redis_url else redis_server.find(self._environ)
        job = pools.prepared(job, self._settings, self.folder)
        workers = pools.of_workers(self._settings, worker_count(self._settings.workers, self._cores))
        gateways, socket = gateway_count(self._settings.gateways, self._cores), self.folder.socket("redis")
        self.addresses = choose(
            self._settings, len(workers), self.folder.read(PORTS), socket, gateways=gateways, pools=workers
        )
        self.folder.write(PORTS, self.addresses.ports())
        plans = Plans(self._settings, self.addresses, self.folder, self._environ, self._memory.folder)
        await self._overview.open(LOCAL, self.addresses.up)
        await self._start_redis(plans, server)
        await self._memory.offer(job.module, self.addresses.redis_url)
        if self._settings.forget_checkpoints:
            await self._forget_checkpoints()
        await self._start_rest(plans, java_path, job)
        self._ready = True
        self._report.write()

    async def _start_redis(self, plans: Plans, server: redis_server.Server | None) -> None:
        check = partial(redis_answers, self.addresses.redis_url)
        if server:
            await kept_once_ready(self._keepers, await self._run(plans.redis(server)), check, REDIS_S)
            self._shortening = asyncio.create_task(redis_log.keep_short(self.addresses.redis_url))
            return
        await others_redis(self.addresses.redis_url, check, self._tell)

    async def _forget_checkpoints(self) -> None:
        """Put them aside, and with them what they told: a view of models that the job does not know any more."""
        kept = self.folder.put_aside(CHECKPOINTS)
        if kept is not None:
            self._tell(f"the job starts without its checkpoints, which are kept in {kept}")
            async with Client(self.addresses.redis_url, namespace=self._settings.namespace) as client:
                await client.command("DEL", client.keys.models)

    async def _start_rest(self, plans: Plans, java_path: str, job: jars.Job) -> None:
        at = self.addresses
        functions = await self._run(plans.functions(job))
        workers = [await self._run(plan) for plan in plans.workers(self._cores)]
        engine = await self._run(plans.job(java_path, job))
        gateways, bridge = [await self._run(plan) for plan in plans.gateways()], await self._run(plans.bridge())
        for keeper, port in zip((functions, *workers), (at.functions, *at.workers), strict=True):
            await kept_once_ready(self._keepers, keeper, partial(http_says_ready, LOCAL, port, "/readyz"), PYTHON_S)
        await kept_once_ready(self._keepers, engine, lambda: log_says(engine.child, java.READY_LINE), JOB_S)
        await kept_once_ready(self._keepers, bridge, lambda: log_says(bridge.child, BRIDGE_LINE), PYTHON_S)
        for keeper in gateways:
            await kept_once_ready(self._keepers, keeper, partial(gateway_is_ready, keeper.child, at), GATEWAY_S)

    async def _run(self, plan: Plan) -> Keeper:
        self._tell(f"starting {plan.name}")
        child = Child(plan)
        await child.start()
        keeper = Keeper(child, self._report.write, self._tell)
        keeper.begin()
        self._keepers.append(keeper)
        self._report.write()
        return keeper

    def _facts(self) -> dict[str, Any]:
        """What others read about us."""
        return {
            "ready": self._ready and not any(keeper.is_refused for keeper in self._keepers),
            "namespace": self._settings.namespace,
            "separate_registry": self._settings.separate_registry,
            **self.addresses.shown(),
            "processes": {keeper.child.plan.name: described(keeper) for keeper in self._keepers},
        }

    async def stop(self) -> None:
        """End every process, those first that others do not need, and give the directory back."""
        self._ready = False
        if self._keepers:
            self._tell("stopping")
        if self._shortening is not None:
            self._shortening.cancel()
        for stage in graces.STAGES:
            now = [keeper for keeper in self._keepers if graces.kind(keeper.child.plan.name) in stage]
            await asyncio.gather(*(keeper.stop(graces.patience(keeper.child.plan.name)) for keeper in now))
        await self._overview.close()
        self._memory.close()
        self._report.stop()
        self.folder.release()

    def kill(self) -> None:
        """End every process now."""
        for keeper in self._keepers:
            keeper.child.kill()

    def __repr__(self) -> str:
        return f"<Up {self.folder.path} {'ready' if self._ready else 'not ready'}, {len(self._keepers)} processes>"


def found_job(settings: UpSettings, environ: Mapping[str, str]) -> jars.Job:
    """The job's files, Flink's reporter among them if its metrics are wanted. Raises `MissingJob`."""
    return jars.find(environ, settings.module, reports=settings.job_metrics_port >= 0)


async def others_redis(url: str, check: Check, tell: Callable[[str], None]) -> None:
    """Wait for a Redis that is not ours. Raises `StartFailed`."""
    try:
        address = Address.parse(url)
        tell(f"waiting for Redis at {address}")
        await until(check, None, f"Redis at {address} (--redis-url)", OTHERS_S)
    except ValueError as exc:
        raise StartFailed(str(exc)) from None


def take_over(folder: Folder, tell: Callable[[str], None]) -> None:
    """A `scurry up` that was killed had no time to end its processes."""
    ended = leftovers.end(folder.read(ADDRESSES).get("processes", {}))
    if ended:
        tell(f"ended {ended} processes that a killed `scurry up` left in {folder.path}")


async def kept_once_ready(all_of_them: Sequence[Keeper], keeper: Keeper, check: Check, patience_s: float) -> None:
    """Wait until it is ready; from then on it is restarted however it ends, for it has shown that it can start."""
    await until(
        check, keeper.child, keeper.child.plan.name, patience_s, lambda: sum(one.restarts for one in all_of_them)
    )
    keeper.keep()


async def gateway_is_ready(child: Child, at: Addresses) -> bool:
    """Whether it answers that it is ready; where another may answer for it, it must have said so itself before.

    Where it wants certificates, its own word is all there is, for we have none.
    """
    listens = (at.gateways == 1 and not at.asks_certificates) or await log_says(child, GATEWAY_LINE)
    if at.asks_certificates:
        return listens
    is_tls = {"tls": True} if at.is_tls else {}
    return listens and await http_says_ready(shown(at.host), at.http, GATEWAY_READY, **is_tls)


def described(keeper: Keeper) -> dict[str, Any]:
    """One process as `scurry.json` has it."""
    pid = keeper.child.pid
    return {"pid": pid, "born": leftovers.born(pid), "state": keeper.state, "restarts": keeper.restarts}


def ready_block(at: Addresses, folder: Path, models_root: str, seconds: float) -> str:
    """What is printed once all of it is true."""
    lines = {
        "HTTP": at.http_url + (f" ({at.gateways} gateways)" if at.gateways > 1 else ""),
        "gRPC": at.grpc_url,
        "Redis": at.redis_url,
        "Flink UI": at.ui_url or "off",
        "metrics": f"{at.up_url}/targets",
        "models": allowed(models_root),
        "data": f"{folder}, logs in {folder / 'logs'}",
    }
    body = "\n".join(f"  {name:<9}{value}" for name, value in lines.items())
    return f"scurry is ready\n{body}\n  {'started':<9}in {seconds:.1f} s; Ctrl-C stops everything"


def allowed(models_root: str) -> str:
    """Which files whoever may register models can have opened."""
    if models_root:
        return f"only below {expanded(models_root).resolve()}"
    return "any file that this user can read (--models-root DIR sets a limit)"
