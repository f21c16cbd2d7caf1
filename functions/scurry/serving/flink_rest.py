"""What Flink's REST says of the one job, and what it can be asked for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import aiohttp

from scurry.wire.errors import Failed, InvalidRequest, Unavailable

ANSWER_S: Final = 10.0
POLL_S: Final = 0.25
ENDED: Final = frozenset({"FINISHED", "CANCELED", "FAILED", "SUSPENDED"})


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job as Flink sees it; ages in seconds, sizes in bytes, -1 where there is none."""

    id: str
    state: str
    parallelism: int
    tasks_running: int
    tasks: int
    restarts: int
    restored_from: str
    checkpoints: int
    checkpoint_age_s: float
    checkpoint_bytes: int
    savepoint: str

    @property
    def is_running(self) -> bool:
        """Whether all of it runs."""
        return self.state == "RUNNING" and 0 < self.tasks == self.tasks_running

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.state in ENDED

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


class FlinkRest:
    """Flink's REST at one address; use it with `async with`. Each call raises `Unavailable` when nobody answers."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Connects when it first asks."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        if self._session is not None:
            await self._session.close()

    async def status(self) -> JobStatus:
        """The job that runs, else the one that ended last. Raises `Unavailable` also when there is none."""
        jobs = (await self._ask("GET", "/jobs/overview"))["jobs"]
        if not jobs:
            raise Unavailable("unavailable", f"Flink at {self._url} runs no job; look at what its JobManager logged.")
        job = min(jobs, key=lambda one: (one["state"] in ENDED, -one["start-time"]))["jid"]
        told, saved = await self._ask("GET", f"/jobs/{job}"), await self._ask("GET", f"/jobs/{job}/checkpoints")
        restarts = await self._ask("GET", f"/jobs/{job}/metrics?get=numRestarts")
        return status_of(told, saved, restarts, time.time())

    async def slots(self) -> int:
        """Task slots there are, free or not."""
        return int((await self._ask("GET", "/overview"))["slots-total"])

    async def savepoint(self, job: str, folder: str, patience_s: float) -> str:
        """Take one beside the running job; its place."""
        body = {"cancel-job": False, **({"target-directory": folder} if folder else {})}
        return await self._saved(job, await self._ask("POST", f"/jobs/{job}/savepoints", body), patience_s)

    async def stop(self, job: str, folder: str, patience_s: float) -> str:
        """Read no more, take a savepoint and end; its place. What is in flight is in it, and goes on from there."""
        body = {"drain": False, **({"targetDirectory": folder} if folder else {})}
        place = await self._saved(job, await self._ask("POST", f"/jobs/{job}/stop", body), patience_s)
        await self._ended(job, patience_s)
        return place

    async def cancel(self, job: str, patience_s: float) -> None:
        """End it; high availability forgets it then."""
        await self._ask("PATCH", f"/jobs/{job}?mode=cancel")
        await self._ended(job, patience_s)

    async def _saved(self, job: str, begun: dict[str, Any], patience_s: float) -> str:
        """The place of a savepoint that was begun. Raises `Failed` with Flink's reason."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            told = await self._ask("GET", f"/jobs/{job}/savepoints/{begun['request-id']}")
            if told["status"]["id"] == "COMPLETED":
                if "location" in told["operation"]:
                    return str(told["operation"]["location"])
                reason = reason_of(told["operation"].get("failure-cause", {}).get("stack-trace", ""))
                raise Failed("internal", f"The savepoint failed and the job goes on: {reason}.")
            await asyncio.sleep(POLL_S)
        raise Unavailable("unavailable", f"There is no savepoint after {patience_s:g} s; give it longer (--timeout).")

    async def _ended(self, job: str, patience_s: float) -> None:
        """Return once it has ended; where its JobManager ends with it, nobody answers any more."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            try:
                if (await self._ask("GET", f"/jobs/{job}"))["state"] in ENDED:
                    return
            except Unavailable:
                return
            await asyncio.sleep(POLL_S)
        raise Unavailable("unavailable", f"The job has not ended after {patience_s:g} s.")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        if self._session is None:
            raise RuntimeError("use it with `async with`")
        try:
            async with self._session.request(method, self._url + path, json=body) as response:
                told = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as cause:
            why = str(cause) or type(cause).__name__
            raise Unavailable("unavailable", f"Flink does not answer at {self._url}: {why}.") from None
        if response.status >= 400:
            raise refusal(response.status, told, self._url + path)
        return told

    def __repr__(self) -> str:
        return f"<FlinkRest {self._url}>"


def refusal(status: int, told: Any, where: str) -> Exception:  # noqa: ANN401 - what Flink says
    """Flink's answer above 399 as one of our failures."""
    errors = told.get("errors", ()) if isinstance(told, dict) else ()
    reason = reason_of("\n".join(str(one) for one in errors)) or f"status {status}"
    if "state.savepoints.dir" in reason or "savepoint directory" in reason.lower():
        return InvalidRequest("bad_request", "Flink knows no directory for savepoints; name one with --to.")
    return Unavailable("unavailable", f"Flink refuses {where}: {reason}.")


def reason_of(trace: str) -> str:
    """The innermost cause in a Java stack trace, else its first line that is no frame, without a full stop."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    words = [line for line in lines if not line.startswith(("at ", "...", "Internal server error"))]
    return (causes[-1] if causes else next(iter(words), "")).rstrip(".")


def status_of(told: dict[str, Any], saved: dict[str, Any], restarts: Any, now: float) -> JobStatus:  # noqa: ANN401
    """What three pages of Flink's say, as one; `now` is epoch seconds."""
    vertices, latest = told.get("vertices", []), saved.get("latest") or {}
    done, kept, restored = latest.get("completed"), latest.get("savepoint"), latest.get("restored")
    return JobStatus(
        id=told["jid"],
        state=told["state"],
        parallelism=max((one["parallelism"] for one in vertices), default=0),
        tasks_running=sum(one["tasks"].get("RUNNING", 0) for one in vertices),
        tasks=sum(one["parallelism"] for one in vertices),
        restarts=int(restarts[0]["value"]) if restarts else -1,
        restored_from=(restored or {}).get("external_path") or "",
        checkpoints=(saved.get("counts") or {}).get("completed", 0),
        checkpoint_age_s=round(now - done["latest_ack_timestamp"] / 1000, 1) if done else -1.0,
        checkpoint_bytes=done["state_size"] if done else -1,
        savepoint=(kept or {}).get("external_path") or "",
    )
