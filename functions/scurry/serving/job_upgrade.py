"""Stops the job with a savepoint and goes on from there as another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from scurry.serving.flink_rest import FlinkRest, JobStatus
from scurry.wire.errors import Failed, InvalidRequest, ScurryError, Unavailable

POLL_S: Final = 0.5


class Side(Protocol):
    """Where a JobManager is started: by a command, or as a Deployment."""

    async def start(self, savepoint: str, parallelism: int) -> None:
        """Start the job as it is to be; a parallelism of 0 is whatever is set there. Raises `Failed`."""

    async def start_former(self, savepoint: str, parallelism: int) -> None:
        """Start it as it was. Raises `Failed`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; an empty `origin` is a savepoint taken now, a `parallelism` of 0 leaves it as it is set."""

    parallelism: int = 0
    folder: str = ""
    origin: str = ""
    patience_s: float = 120.0


class Upgrade:
    """One upgrade: what it does just now, and what came of it."""

    def __init__(self, flink: FlinkRest, side: Side, wanted: Wanted, tell: Callable[[str], None]) -> None:
        self._flink, self._side, self._wanted, self._tell = flink, side, wanted, tell
        self.savepoint = wanted.origin

    async def run(self) -> JobStatus:
        """Do it. Raises `Failed` when it was rolled back, with the reason; `Unavailable` when that failed too."""
        former = await self._stop()
        try:
            self._tell(f"starting from {self.savepoint}")
            await self._side.start(self.savepoint, self._wanted.parallelism)
            return await self._running(self._wanted.parallelism)
        except ScurryError as cause:
            await self._roll_back(former, cause)
            raise Failed(
                "internal", f"The job did not start as it was to: {cause.message} The former one goes on from the same"
                f" savepoint, {self.savepoint}; nothing was lost.",
            ) from None  # fmt: skip

    async def _stop(self) -> JobStatus:
        """The job as it was; it has ended, and its state lies in a savepoint."""
        former = await self._settled()
        if self._wanted.parallelism and (slots := await self._flink.slots()) < self._wanted.parallelism:
            raise InvalidRequest(
                "bad_request", f"A parallelism of {self._wanted.parallelism} needs as many task slots, and there are"
                f" {slots}: start more TaskManagers first.",
            )  # fmt: skip
        if self.savepoint:
            if not former.is_over:
                self._tell("ending the job")
                await self._flink.cancel(former.id, self._wanted.patience_s)
            return former
        if not former.is_running:
            raise Unavailable(
                "unavailable", f"The job is {former.state} with {former.tasks_running} of {former.tasks} tasks running:"
                " no savepoint can be taken; wait until it runs, or name a savepoint or checkpoint with --from.",
            )  # fmt: skip
        self._tell("stopping the job with a savepoint")
        self.savepoint = await self._flink.stop(former.id, self._wanted.folder, self._wanted.patience_s)
        return former

    async def _settled(self) -> JobStatus:
        """The job once it runs or has ended: a JobManager or TaskManager may just be replaced. Raises `Unavailable`."""
        end = time.monotonic() + self._wanted.patience_s
        while True:
            try:
                now = await self._flink.status()
                if now.is_running or now.is_over or self.savepoint or time.monotonic() > end:
                    return now
                self._tell(f"the job is {now.state.lower()}, {now.tasks_running} of {now.tasks} tasks run")
            except Unavailable as cause:
                if time.monotonic() > end:
                    raise
                self._tell(cause.message)
            await asyncio.sleep(POLL_S)

    async def _running(self, parallelism: int) -> JobStatus:
        """The job once all of it runs, from this savepoint, and has completed a checkpoint of its own."""
        end, last, name = time.monotonic() + self._wanted.patience_s, "", self.savepoint.rstrip("/").rpartition("/")[2]
        while time.monotonic() < end:
            await asyncio.sleep(POLL_S)
            try:
                now = await self._flink.status()
            except ScurryError as cause:
                last = cause.message
                continue
            begun = name in now.restored_from and not now.is_over
            if begun and now.is_running and now.checkpoints and parallelism in (0, now.parallelism):
                return now
            last = f"It is {now.state} with {now.tasks_running} of {now.tasks} tasks running."
            self._tell(f"the job is {now.state.lower()}, {now.tasks_running} of {now.tasks} tasks run")
        raise Unavailable("unavailable", f"It does not run after {self._wanted.patience_s:g} s. {last}")

    async def _roll_back(self, former: JobStatus, cause: ScurryError) -> None:
        """The former job goes on. Raises `Unavailable` with what to do when it does not."""
        self._tell("it did not start; going back to the former job")
        try:
            await self._end_what_started()
            await self._side.start_former(self.savepoint, former.parallelism)
            await self._running(0)
        except ScurryError as second:
            raise Unavailable(
                "unavailable", f"The job did not start as it was to: {cause.message} Nor did the former one:"
                f" {second.message} Its state is safe in {self.savepoint}: mend what is wrong and run"
                f" `scurry job upgrade --from {self.savepoint}`.",
            ) from None  # fmt: skip

    async def _end_what_started(self) -> None:
        """What high availability keeps of the failed job must go, or it would be kept instead of the former one."""
        try:
            now = await self._flink.status()
        except Unavailable:
            return
        if not now.is_over:
            await self._flink.cancel(now.id, self._wanted.patience_s)

    def __repr__(self) -> str:
        return f"<Upgrade {self._wanted} from {self.savepoint or 'a savepoint to be taken'}>"
