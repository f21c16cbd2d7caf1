"""Where the job is started again: by a command, or as a Deployment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shlex
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from scurry.wire.errors import Failed, Unavailable

JOB_MANAGER: Final = "{}-jobmanager"
"""What the chart calls the JobManager of a cluster: its Deployment and its Service."""

TASK_MANAGER: Final = "{}-taskmanager"

HELD: Final = [{"name": "scurry/upgrade"}]
"""A pod with this scheduling gate is not started: one that was would begin without state, and answer from that."""

GONE_S: Final = 120.0
PAUSE_S: Final = 1.0
OURS: Final = ("-Dexecution.savepoint.path=", "-Dparallelism.default=")
_FORWARDED: Final = re.compile(rb"127\.0\.0\.1:(\d+) ->")
_KEPT: Final = ("name", "namespace", "labels", "annotations")


class Commands:
    """A command of the user's that starts the JobManager, and one that starts it as it was (else the same)."""

    def __init__(self, start: str, former: str = "") -> None:
        self._start, self._former = start, former or start

    async def start(self, savepoint: str, parallelism: int) -> None:
        """Run it. Raises `Failed` when it fails."""
        await shell(filled(self._start, savepoint, parallelism))

    async def start_former(self, savepoint: str, parallelism: int) -> None:
        """Run the other. Raises `Failed` when it fails."""
        await shell(filled(self._former, savepoint, parallelism))

    def __repr__(self) -> str:
        return f"<Commands {self._start!r}>"


class Kubernetes:
    """The JobManager's Deployment in a namespace, by kubectl. `change` is run while nothing runs, such as an apply."""

    def __init__(self, namespace: str, cluster: str = "scurry", change: str = "", kubectl: str = "kubectl") -> None:
        self._words, self._cluster, self._change = (kubectl, "--namespace", namespace), cluster, change
        self._name, self._workers = JOB_MANAGER.format(cluster), TASK_MANAGER.format(cluster)
        self._former: list[dict[str, Any]] = []

    @contextlib.asynccontextmanager
    async def forwarded(self) -> AsyncIterator[str]:
        """The URL at which Flink's REST is reached meanwhile; through whichever JobManager there is."""
        port = 0
        runner = asyncio.create_task(self._forward(ready := asyncio.get_running_loop().create_future()))
        try:
            port = await asyncio.wait_for(ready, GONE_S)
            yield f"http://127.0.0.1:{port}"
        except TimeoutError:
            raise Unavailable("unavailable", f"kubectl does not reach the service {self._name}.") from None
        finally:
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)

    async def _forward(self, ready: asyncio.Future[int]) -> None:
        """Forward a port, and the same one again whenever its pod is gone."""
        port = 0
        while True:
            words = (*self._words, "port-forward", f"service/{self._name}", f"{port or ''}:8081")
            process = await asyncio.create_subprocess_exec(
                *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
            try:
                assert process.stdout
                async for line in process.stdout:
                    if found := _FORWARDED.search(line):
                        port = int(found[1])
                        if not ready.done():
                            ready.set_result(port)
                await process.wait()  # it has ended by itself: killed now, it might be waited for twice
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise
            await asyncio.sleep(1)

    async def remember(self) -> None:
        """The Deployments and the ConfigMaps they mount, as they are: what a roll-back puts back."""
        deployment = await self._get(f"deployment/{self._name}")
        volumes = deployment["spec"]["template"]["spec"].get("volumes", ())
        names = sorted({one["configMap"]["name"] for one in volumes if "configMap" in one})
        workers = await self._get(f"deployment/{self._workers}")
        self._former = [deployment, workers, *[await self._get(f"configmap/{name}") for name in names]]

    async def start(self, savepoint: str, parallelism: int) -> None:
        """No pod, no trace in high availability, then the change, then a pod that begins at the savepoint."""
        replicas = await self._empty()
        if self._change:
            await self._patch({"template": {"spec": {"schedulingGates": HELD}}})
            await shell(filled(self._change, savepoint, parallelism))
            replicas = await self._empty() or replicas  # an apply brings pods back, which are held
        await self._begin(savepoint, parallelism, replicas)

    async def start_former(self, savepoint: str, parallelism: int) -> None:
        """The same with what was remembered."""
        await self._empty()
        first, *others = self._former
        for one in (bare(first, replicas=0), *map(bare, others)):
            await self._kubectl("replace", "-f", "-", given=json.dumps(one))
        await self._empty()
        await self._begin(savepoint, parallelism, first["spec"].get("replicas", 1))

    async def _empty(self) -> int:
        """Returns how many pods were wanted before."""
        spec = (await self._get(f"deployment/{self._name}"))["spec"]
        labels = ",".join(f"{name}={value}" for name, value in spec["selector"]["matchLabels"].items())
        await self._kubectl("scale", f"deployment/{self._name}", "--replicas=0")
        end = time.monotonic() + GONE_S
        # A pod that is ending is no replica any more, but still a JobManager that may start the job without state.
        while (await self._kubectl("get", "pods", "--selector", labels, "--output", "name")).strip():
            if time.monotonic() > end:
                raise Failed("internal", f"The JobManager's pod is still there after {GONE_S:g} s.")
            await asyncio.sleep(PAUSE_S)
        labels = f"app={self._cluster},configmap-type=high-availability"
        await self._kubectl("delete", "configmap", "--selector", labels, "--ignore-not-found")
        return int(spec.get("replicas", 1))

    async def _begin(self, savepoint: str, parallelism: int, replicas: int) -> None:
        now = await self._get(f"deployment/{self._name}")
        container = now["spec"]["template"]["spec"]["containers"][0]
        words = begun(container.get("args", ()), savepoint, parallelism)
        pod = {"containers": [{"name": container["name"], "args": words}], "schedulingGates": None}
        await self._patch({"replicas": replicas or 1, "template": {"spec": pod}})

    async def _patch(self, spec: dict[str, Any]) -> None:
        await self._kubectl("patch", f"deployment/{self._name}", "--patch", json.dumps({"spec": spec}))

    async def _get(self, what: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(await self._kubectl("get", what, "--output", "json"))
        return told

    async def _kubectl(self, *words: str, given: str = "") -> str:
        return await run((*self._words, *words), given)

    def __repr__(self) -> str:
        return f"<Kubernetes {self._words[-1]}/{self._name}>"


def filled(command: str, savepoint: str, parallelism: int) -> str:
    """The command with what it is to start from, each quoted for the shell; a parallelism of 0 is left empty."""
    found = command.replace("{savepoint}", shlex.quote(savepoint))
    return found.replace("{parallelism}", str(parallelism or ""))


def begun(words: Sequence[str], savepoint: str, parallelism: int) -> list[str]:
    """A JobManager's arguments that begin at a savepoint; 0 keeps the parallelism they name, if any."""
    dropped = OURS if parallelism else OURS[:1]
    rest = [word for word in words if not word.startswith(dropped)]
    wider = [f"{OURS[1]}{parallelism}"] if parallelism else []
    return [f"{OURS[0]}{savepoint}", *wider, *rest]


def bare(one: dict[str, Any], replicas: int | None = None) -> dict[str, Any]:
    """An object without what the API server adds, to be put back; with that many replicas, if they are told."""
    kept = {key: value for key, value in one.items() if key != "status"}
    kept["metadata"] = {key: value for key, value in one["metadata"].items() if key in _KEPT}
    if replicas is not None:
        kept["spec"] = one["spec"] | {"replicas": replicas}
    return kept


async def shell(command: str) -> None:
    """Run what a user wrote. Raises `Failed` with its last line."""
    await run(("/bin/sh", "-c", command))


async def run(words: Sequence[str], given: str = "") -> str:
    """What a command prints. Raises `Failed` with the last line it complained with."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as cause:
        raise Failed("internal", f"{words[0]} cannot be run: {cause.strerror}.") from None
    told, complaint = await process.communicate(given.encode())
    if process.returncode:
        last = (complaint or told).decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise Failed("internal", f"`{' '.join(words)[:200]}` exited {process.returncode}: {last[0].rstrip('.')}.")
    return told.decode(errors="replace")
