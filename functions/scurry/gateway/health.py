"""Whether the gateway can get answers: Redis answers, and the job does.

The job is asked by a request for a version that cannot exist: its `model_not_found` has been through ingress, router
and egress. Probes that come within a second share one answer, so that probing is never a load.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

from scurry.client.readiness import NO_VERSION, PROBE
from scurry.gateway.ask import ProbingClient
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferRequest

FRESH_S: Final = 1.0
PATIENCE_S: Final = 3.0
LOOP_RESTARTS: Final = 3
"""Restarts of one run of the job that are no accident."""
STEADY_S: Final = 30.0
"""A job that has run for so long does not restart in a loop."""
SILENT: Final = frozenset({"deadline_exceeded", "unavailable"})
"""Codes that are made here or by the client, without the job."""


class ProbedClient(ProbingClient, Protocol):
    """What health needs of `scurry.client.client.Client`."""

    async def ping(self) -> None:
        """Return when Redis answers. Raises `ScurryError`."""
        ...

    async def job(self) -> dict[str, str]:
        """What the job wrote down of itself. Raises `ScurryError`."""
        ...


class Health:
    """The last probe's result, asked again when it is older than a second."""

    def __init__(self, client: ProbedClient) -> None:
        self._client = client
        self._report: dict[str, str] = {}
        self._at = float("-inf")
        self._probing: asyncio.Task[None] | None = None
        self._leaving = ""

    def leave(self, why: str) -> None:
        """From now on we are not ready, whatever stands behind us."""
        self._leaving = why

    async def report(self) -> dict[str, str]:
        """`redis` and `job`, each `ok` or a sentence; `gateway`, once it stops."""
        if self._leaving:
            return {**self._report, "gateway": self._leaving}
        if asyncio.get_running_loop().time() - self._at > FRESH_S:
            if self._probing is None:
                self._probing = asyncio.create_task(self._probe())
            await asyncio.shield(self._probing)
        return self._report

    async def _probe(self) -> None:
        try:
            redis = await _redis(self._client)
            job = await _job(self._client) if redis == "ok" else "unknown: Redis does not answer"
            self._report = {"redis": redis, "job": job}
            self._at = asyncio.get_running_loop().time()
        finally:
            self._probing = None


def is_ready(report: dict[str, str]) -> bool:
    """Whether everything behind the gateway answers."""
    return all(state == "ok" for state in report.values())


def restarting(job: dict[str, str], now: float) -> str:
    """What to say of a job that restarts again and again; empty when it runs."""
    restarts, since = int(job.get("restarts", 0)), now - int(job.get("started", 0)) / 1000
    if restarts < LOOP_RESTARTS or since > STEADY_S:
        return ""
    return f"It restarts in a loop: {restarts} times so far, the last {max(since, 0):.0f} s ago; see its log."


async def _redis(client: ProbedClient) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.ping()
    except (ScurryError, OSError) as cause:  # TimeoutError is an OSError
        return str(cause) or "does not answer"
    return "ok"


async def _job(client: ProbedClient) -> str:
    try:
        looping = restarting(await client.job(), time.time())
        if looping:
            return looping
        await client.ask(PROBE, InferRequest(), version=NO_VERSION, timeout=PATIENCE_S)
    except ScurryError as cause:
        return cause.message if cause.code in SILENT else "ok"
    except OSError as cause:
        return str(cause) or "does not answer"
    return "ok"
