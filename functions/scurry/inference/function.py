"""The inference function: which model runs when, and where.

1. A quick model that is on the shelf, asked by requests that bring everything with them, runs in the event loop
   itself: a thread would cost more than the model, and would fight the loop for the interpreter. The loop is given a
   turn every 2 ms, so heartbeats and other exchanges go on.
2. All else is a task: open the model if need be, fetch what is parked, compute in a thread, park what is large. Quick
   and slow models have threads of their own, so that a slow model never delays a quick one.

`…/solo/…` addresses bring requests that lost their worker: they run one by one, in a thread. (They travel alone.)
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from scurry.inference.answers import write_bodies
from scurry.inference.batch import batches, run
from scurry.inference.items import claim, drop_late, keys_needed, supply
from scurry.inference.lane_call import LaneCall, Work
from scurry.inference.loads import answer_load
from scurry.inference.reports import Reports
from scurry.inference.shelf import Gone
from scurry.wire.errors import Failed, ScurryError
from scurry.wire.messages_pb2 import Load, Unload
from scurry.wire.names import INFERENCE, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.endpoint.call import Call, State
    from scurry.inference.answers import Payload
    from scurry.inference.items import BatchItem
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.payloads import Payloads
    from scurry.inference.shelf import Shelf

log = logging.getLogger(__name__)

INLINE_SECONDS: Final = 0.001
"""A lane_call that is expected to take no longer than this runs in the event loop."""
TURN_SECONDS: Final = 0.002
"""How long the event loop may be kept at a stretch."""
SLOW_SECONDS: Final = 0.02
"""Models slower than this share threads among themselves."""


class Inference:
    """Answers the calls of `scurry/inference`."""

    typename = INFERENCE
    state: State | None = None

    def __init__(
        self,
        shelf: Shelf,
        payloads: Payloads,
        *,
        keys: Keys | None = None,
        worker: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._shelf, self._payloads, self._keys = shelf, payloads, keys or Keys()
        self.worker, self._clock = worker, clock
        self._reports = Reports()
        self._token, self._count = secrets.token_hex(6), itertools.count()  # names that no other worker gives
        cores = os.cpu_count() or 1
        self._quick = ThreadPoolExecutor(max(2, cores), "quick")
        self._slow = ThreadPoolExecutor(max(4, 2 * cores), "slow")

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; quick ones at once, the others as they finish."""
        near: list[tuple[LaneCall, LoadedModel | None]] = []
        later: list[asyncio.Task[None]] = []
        for call in calls:
            lane_call = LaneCall(call)
            loaded = self._at_hand(lane_call)
            if loaded is None and (lane_call.works or lane_call.changes):
                later.append(asyncio.create_task(self._answer_later(lane_call, done)))
            else:
                near.append((lane_call, loaded))
        if later:
            await asyncio.sleep(0)  # what takes longer begins first
        since = time.perf_counter()
        for lane_call, loaded in near:
            if time.perf_counter() - since > TURN_SECONDS:
                await asyncio.sleep(0)
                since = time.perf_counter()
            payloads = self._compute(lane_call, lane_call.works[0], loaded) if loaded is not None else []
            if payloads:
                later.append(asyncio.create_task(self._answer_parked(lane_call, payloads, done)))
            else:
                self._finish(lane_call, done)
        if later:
            await asyncio.gather(*later)

    def _at_hand(self, lane_call: LaneCall) -> LoadedModel | None:
        """The model, if these requests can be answered without waiting for anything."""
        if len(lane_call.works) != 1 or lane_call.changes or lane_call.solo:
            return None
        (work,) = lane_call.works
        loaded = self._shelf.find(lane_call.key, work.spec)
        if loaded is None or loaded.expected(len(work.requests)) > INLINE_SECONDS:
            return None
        try:
            work.items = claim(work.requests, loaded.layouts, self._keys)
        except Exception as cause:
            _fail(lane_call, work, cause)
            return loaded
        return None if any(item.needs for item in work.items) else loaded

    async def _answer_later(self, lane_call: LaneCall, done: Callable[[Call], None]) -> None:
        """Answer a call that has to wait for something."""
        if lane_call.address is not None:
            changes = [self._change(lane_call.call, change) for change in lane_call.changes]
            for failure in await asyncio.gather(*changes, return_exceptions=True):
                if failure is not None:
                    log.error("%s: a change failed", lane_call.call.key, exc_info=failure)
            for work in tuple(lane_call.works):
                await self._answer_work(lane_call, work)
        self._finish(lane_call, done)

    async def _answer_work(self, lane_call: LaneCall, work: Work) -> None:
        try:
            await self._infer(lane_call, work)
        except Gone:
            lane_call.send_back(work, f"{lane_call.model} version {lane_call.version} was unloaded.")
        except ScurryError as failure:
            work.fail(failure)
        except Exception as cause:
            _fail(lane_call, work, cause)

    async def _answer_parked(
        self, lane_call: LaneCall, payloads: Sequence[Payload], done: Callable[[Call], None]
    ) -> None:
        """Answer a call whose outputs turned out to be large."""
        await self._park(lane_call, lane_call.works[0], payloads)
        self._finish(lane_call, done)

    def _finish(self, lane_call: LaneCall, done: Callable[[Call], None]) -> None:
        """However a call went, it is answered."""
        key, requests = lane_call.call.key, lane_call.requests
        if requests:
            self._reports.add(key, lane_call.busy, requests)
        lane_call.finish(*(self._reports.take(key) if lane_call.report else ()))
        done(lane_call.call)

    async def _change(self, call: Call, change: Load | Unload) -> None:
        if isinstance(change, Load):
            await answer_load(call, change, self._shelf, self.worker)
        else:
            self._shelf.unload((change.model, change.version), change.identity)

    async def _infer(self, lane_call: LaneCall, work: Work) -> None:
        loaded = await self._shelf.load(lane_call.key, work.spec)
        loaded.users += 1
        try:
            if work.items is None:
                work.items = claim(work.requests, loaded.layouts, self._keys)
            await self._fetch(work.items, loaded)
            pool = self._quick if loaded.seconds < SLOW_SECONDS else self._slow
            loop = asyncio.get_running_loop()
            async with loaded.slots:
                payloads = await loop.run_in_executor(pool, self._compute, lane_call, work, loaded)
        finally:
            loaded.users -= 1
            self._shelf.trim()
        if payloads:
            await self._park(lane_call, work, payloads)

    async def _fetch(self, items: Sequence[BatchItem], loaded: LoadedModel) -> None:
        """Bring what is parked; a parked body may refer to parked tensors, hence the loop."""
        drop_late(items, self._now())
        while keys := keys_needed(items):
            try:
                found = await self._payloads.fetch(keys)
            except ScurryError as failure:
                for item in items:
                    if item.needs:
                        item.failure, item.needs = failure, None
                return
            supply(items, found, loaded.layouts, self._keys)

    async def _park(self, lane_call: LaneCall, work: Work, payloads: Sequence[Payload]) -> None:
        try:
            await self._payloads.park(payloads)
        except ScurryError as failure:
            work.fail(failure)
        except Exception as cause:
            _fail(lane_call, work, cause)

    def _compute(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Run all that is ready and serialise it; in the event loop or in a thread, and it never raises."""
        items = work.items or []
        start = time.perf_counter()
        try:
            limit = 1 if lane_call.solo else loaded.model.max_batch_size
            for batch in batches(items, limit, batched=loaded.model.batched):
                self._run(loaded, batch)
            token = f"{self._token}{next(self._count):x}"
            return write_bodies(items, loaded.layouts, self._keys, lane_call.version, token)
        except Exception as cause:
            _fail(lane_call, work, cause)
            return []
        finally:
            lane_call.busy += time.perf_counter() - start

    def _run(self, loaded: LoadedModel, batch: list[BatchItem]) -> None:
        drop_late(batch, self._now())
        on_time = [item for item in batch if item.failure is None]
        if on_time:
            start = time.perf_counter()
            run(loaded, loaded.layouts, on_time)
            loaded.record_latency(time.perf_counter() - start)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def close(self) -> None:
        """Let the threads go."""
        self._quick.shutdown(wait=False)
        self._slow.shutdown(wait=False)

    def __repr__(self) -> str:
        return f"<Inference {self.worker or 'worker'}: {self._shelf!r}>"


def _fail(lane_call: LaneCall, work: Work, cause: Exception) -> None:
    """A fault of our own: whoever has no answer yet is told so."""
    log.exception("%s failed", lane_call.call.key, exc_info=cause)
    work.fail(Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}"))
