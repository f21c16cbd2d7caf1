"""The job as a FlinkDeployment of the operator, by kubectl."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Final

from scurry.serving.job_sides import run, shell
from scurry.wire.errors import Failed, Unavailable

POLL_S: Final = 1.0
RESOURCE: Final = "flinkdeployment"


class Operator:
    """One FlinkDeployment. The operator takes the savepoints and starts the job; we say what is wanted and watch."""

    def __init__(self, name: str, namespace: str, patience_s: float, kubectl: str = "kubectl") -> None:
        self._what, self._patience_s = f"{RESOURCE}/{name}", patience_s
        self._words = (kubectl, "--namespace", namespace)

    async def status(self) -> dict[str, Any]:
        """What the operator says of it."""
        return state_of(await self._get())

    async def savepoint(self, tell: Callable[[str], None]) -> str:
        """Have one taken; its place."""
        before = state_of(await self._get())["savepoint"]
        await self._patch({"job": {"savepointTriggerNonce": nonce()}})
        now = await self._until(lambda one: one["savepoint"] not in ("", before), tell)
        return str(now["savepoint"])

    async def stop(self, tell: Callable[[str], None]) -> str:
        """Suspend it with a savepoint; its place."""
        await self._patch({"job": {"state": "suspended", "upgradeMode": "savepoint"}})
        now = await self._until(lambda one: one["lifecycle"] == "SUSPENDED", tell)
        return str(now["savepoint"])

    async def rescale(self, parallelism: int, tell: Callable[[str], None]) -> dict[str, Any]:
        """With a savepoint, to so many subtasks."""
        return await self._change({"job": {"parallelism": parallelism, "upgradeMode": "savepoint"}}, tell)

    async def upgrade(self, change: str, tell: Callable[[str], None]) -> dict[str, Any]:
        """With a savepoint, after the change (such as an apply), also where only module.yaml or an address changed."""
        if change:
            await shell(change)
        job = {"upgradeMode": "savepoint", "state": "running"}
        return await self._change({"restartNonce": nonce(), "job": job}, tell)

    async def _change(self, spec: dict[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
        await self._patch(spec)
        return await self._until(lambda one: one["lifecycle"] == "STABLE" and one["state"] == "RUNNING", tell)

    async def _until(self, holds: Callable[[dict[str, Any]], bool], tell: Callable[[str], None]) -> dict[str, Any]:
        """The state once it holds and the operator has seen the latest spec. Raises `Failed`, `Unavailable`."""
        end = time.monotonic() + self._patience_s
        while time.monotonic() < end:
            now = state_of(await self._get())
            if now["is_seen"] and holds(now):
                return now
            if now["lifecycle"] in ("FAILED", "ROLLED_BACK"):
                reason = now["error"] or "it gives no reason"
                raise Failed("internal", f"The operator says {now['lifecycle']}: {reason.rstrip('.')}.")
            tell(f"the operator says {now['lifecycle'] or 'nothing yet'}, the job is {now['state'] or 'not there'}")
            await asyncio.sleep(POLL_S)
        look = f"look at `kubectl describe {self._what}`"
        raise Unavailable("unavailable", f"The operator is not done after {self._patience_s:g} s; {look}.")

    async def _get(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(await run((*self._words, "get", self._what, "--output", "json")))
        return told

    async def _patch(self, spec: dict[str, Any]) -> None:
        words = ("patch", self._what, "--type", "merge", "--patch", json.dumps({"spec": spec}))
        await run((*self._words, *words))

    def __repr__(self) -> str:
        return f"<Operator {self._what}>"


def nonce() -> int:
    """A number that was not there before."""
    return int(time.time())


def state_of(told: dict[str, Any]) -> dict[str, Any]:
    """What matters of a FlinkDeployment, of operators from 1.3 on."""
    status, metadata = told.get("status") or {}, told.get("metadata") or {}
    job = status.get("jobStatus") or {}
    seen = status.get("observedGeneration", metadata.get("generation"))
    saved = (job.get("savepointInfo") or {}).get("lastSavepoint") or {}
    return {
        "state": job.get("state") or "",
        "lifecycle": status.get("lifecycleState") or "",
        "parallelism": ((told.get("spec") or {}).get("job") or {}).get("parallelism", 0),
        "savepoint": saved.get("location") or job.get("upgradeSavepointPath") or "",
        "error": status.get("error") or "",
        "is_seen": seen == metadata.get("generation"),
    }
