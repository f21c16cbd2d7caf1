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
from scurry.inference.lane_call import LaneCall
from scurry.inference.loads import answer_load
from scurry.wire.errors import Failed, ScurryError
from scurry.wire.messages_pb2 import Load, Unload
from scurry.wire.names import INFERENCE, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.endpoint.call import Call, State
    from scurry.inference.answers import Payload
    from scurry.inference.items import BatchItem
    from scurry.inference.payloads import Payloads
    from scurry.inference.shelf import LoadedModel, Shelf

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
            if loaded is None and (lane_call.requests or lane_call.changes):
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
            payloads = self._compute(lane_call, loaded) if loaded is not None else []
            if payloads:
                later.append(asyncio.create_task(self._answer_parked(lane_call, payloads, done)))
            else:
                lane_call.finish()
                done(lane_call.call)
        if later:
            await asyncio.gather(*later)

    def _at_hand(self, lane_call: LaneCall) -> LoadedModel | None:
        """The model, if these requests can be answered without waiting for anything."""
        if not lane_call.requests or lane_call.changes or lane_call.solo:
            return None
        loaded = self._shelf.find(lane_call.key, lane_call.spec.generation)
        if loaded is None or loaded.expected(len(lane_call.requests)) > INLINE_SECONDS:
            return None
        try:
            lane_call.items = claim(lane_call.requests, loaded.layouts, self._keys)
        except Exception as cause:
            _fail(lane_call, cause)
            return loaded
        return None if any(item.needs for item in lane_call.items) else loaded

    async def _answer_later(self, lane_call: LaneCall, done: Callable[[Call], None]) -> None:
        """Answer a call that has to wait for something."""
        changes = [self._change(lane_call.call, change) for change in lane_call.changes]
        try:
            if changes:
                await asyncio.gather(*changes)
            if lane_call.requests:
                await self._infer(lane_call)
        except ScurryError as failure:
            lane_call.fail(failure)
        except Exception as cause:
            _fail(lane_call, cause)
        lane_call.finish()
        done(lane_call.call)

    async def _answer_parked(
        self, lane_call: LaneCall, payloads: Sequence[Payload], done: Callable[[Call], None]
    ) -> None:
        """Answer a call whose outputs turned out to be large."""
        await self._park(lane_call, payloads)
        lane_call.finish()
        done(lane_call.call)

    async def _change(self, call: Call, change: Load | Unload) -> None:
        if isinstance(change, Load):
            await answer_load(call, change, self._shelf, self.worker)
        else:
            self._shelf.unload((change.model, change.version), change.generation)

    async def _infer(self, lane_call: LaneCall) -> None:
        loaded = await self._shelf.load(lane_call.key, lane_call.spec)
        loaded.users += 1
        try:
            if lane_call.items is None:
                lane_call.items = claim(lane_call.requests, loaded.layouts, self._keys)
            await self._fetch(lane_call.items, loaded)
            pool = self._quick if loaded.seconds < SLOW_SECONDS else self._slow
            async with loaded.slots:
                payloads = await asyncio.get_running_loop().run_in_executor(pool, self._compute, lane_call, loaded)
        finally:
            loaded.users -= 1
            self._shelf.trim()
        if payloads:
            await self._park(lane_call, payloads)

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

    async def _park(self, lane_call: LaneCall, payloads: Sequence[Payload]) -> None:
        try:
            await self._payloads.park(payloads)
        except ScurryError as failure:
            lane_call.fail(failure)
        except Exception as cause:
            _fail(lane_call, cause)

    def _compute(self, lane_call: LaneCall, loaded: LoadedModel) -> list[Payload]:
        """Run all that is ready and serialise it; in the event loop or in a thread, and it never raises."""
        items = lane_call.items or []
        try:
            limit = 1 if lane_call.solo else loaded.model.max_batch_size
            for batch in batches(items, limit, batched=loaded.model.batched):
                self._run(loaded, batch)
            token = f"{self._token}{next(self._count):x}"
            return write_bodies(items, loaded.layouts, self._keys, lane_call.version, token)
        except Exception as cause:
            _fail(lane_call, cause)
            return []

    def _run(self, loaded: LoadedModel, batch: list[BatchItem]) -> None:
        drop_late(batch, self._now())
        on_time = [item for item in batch if item.failure is None]
        if on_time:
            start = time.perf_counter()
            run(loaded.model, loaded.layouts, on_time)
            loaded.record_latency(time.perf_counter() - start)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def close(self) -> None:
        """Let the threads go."""
        self._quick.shutdown(wait=False)
        self._slow.shutdown(wait=False)

    def __repr__(self) -> str:
        return f"<Inference {self.worker or 'worker'}: {self._shelf!r}>"


def _fail(lane_call: LaneCall, cause: Exception) -> None:
    """A fault of our own: whoever has no answer yet is told so."""
    log.exception("%s failed", lane_call.call.key, exc_info=cause)
    lane_call.fail(Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}"))
