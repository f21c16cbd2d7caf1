"""Answers requests with an open model: fetch, place, compute, park.

Where a model computes is decided in `placement`; whatever comes of it, every request has its answer or its failure
afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING

from scurry.inference import placement
from scurry.inference.answers import write_bodies
from scurry.inference.apart import HUNG, compute_apart
from scurry.inference.batch import batches, run, same_rows
from scurry.inference.items import BatchItem, claim, drop_late, keys_needed, supply
from scurry.inference.placement import OUTLIER_SECONDS, TURN_SECONDS, Where
from scurry.inference.threads import Threads
from scurry.wire.errors import ScurryError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.inference.answers import Payload
    from scurry.inference.children import Children
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.payloads import Payloads
    from scurry.wire.names import Keys

log = logging.getLogger(__name__)


class Stopwatch(threading.local):
    """Runs batches and notes what they take; knows what this thread had computed a moment ago.

    The system tells it at the price of a call, which is more than many a model takes: it is asked once a turn.
    """

    at = cpu = -1e9

    def refreshed(self) -> float:
        """The clock; the mark is no older than a turn then."""
        now = time.perf_counter()
        if now - self.at > TURN_SECONDS:
            self.at, self.cpu = now, time.thread_time()
        return now

    def run(self, loaded: LoadedModel, batch: Sequence[BatchItem], now_ms: int) -> int:
        """Run a batch once, without what is late, and note how long it took; returns how many that were."""
        on_time = drop_late(batch, now_ms)
        if on_time:
            start = self.refreshed()
            run(loaded, loaded.layouts, on_time)
            seconds = time.perf_counter() - start
            loaded.pace.note(seconds, time.thread_time() - self.cpu if seconds > OUTLIER_SECONDS else 0.0)
        return len(on_time)


class Computing:
    """What a worker computes with. Without `children` all that would run in one runs in a thread."""

    def __init__(
        self, payloads: Payloads, keys: Keys, clock: Callable[[], float] = time.time, children: Children | None = None
    ) -> None:
        self._payloads, self._keys, self._clock = payloads, keys, clock
        self._threads, self._children, self._stopwatch = Threads(), children, Stopwatch()
        self._token, self._count = secrets.token_hex(6), itertools.count()  # names that no other worker gives

    def claim(self, work: Work, loaded: LoadedModel) -> list[BatchItem]:
        """What the requests bring, each checked against the model, once."""
        if work.items is None:
            work.items = claim(work.requests, loaded.layouts, self._keys)
            work.alike = same_rows(work.items)
        return work.items

    def where(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> Where:
        """Where these requests are computed."""
        found = placement.place(
            loaded.expected(work.rows),
            solo=lane_call.solo,
            suspect=loaded.suspect,
            steady=loaded.steady,
            holds_interpreter=loaded.model.holds_interpreter,
        )
        return Where.THREAD if found is Where.CHILD and self._children is None else found

    async def answer(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> None:
        """Answer requests that have to wait for something. Raises `ScurryError`."""
        await self._fetch(work, loaded)
        if self.where(lane_call, work, loaded) is Where.CHILD:
            payloads = await self._apart(lane_call, work, loaded)
        else:
            payloads = await self._threaded(lane_call, work, loaded)
        if payloads:
            await self.park(lane_call, work, payloads)

    def compute(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Run all that is ready and serialise it; in the event loop or in a thread, and it never raises."""
        start, rows = time.perf_counter(), 1 if lane_call.solo else loaded.model.max_batch_size
        try:
            for batch in batches(work.items or (), rows, batched=loaded.model.batched, alike=work.alike):
                lane_call.sizes.append(self._stopwatch.run(loaded, batch, self._now()))
            return self._written(lane_call, work, loaded)
        except Exception as cause:
            work.fail_unforeseen(lane_call.call.key, cause)
            return []
        finally:
            lane_call.busy += time.perf_counter() - start

    async def park(self, lane_call: LaneCall, work: Work, payloads: Sequence[Payload]) -> None:
        """Put what is large where its readers find it."""
        try:
            await self._payloads.park(payloads)
        except ScurryError as failure:
            work.fail(failure)
        except Exception as cause:
            work.fail_unforeseen(lane_call.call.key, cause)

    async def _fetch(self, work: Work, loaded: LoadedModel) -> None:
        """Bring what is parked; a parked body may refer to parked tensors, hence the loop."""
        items = self.claim(work, loaded)
        drop_late(items, self._now())
        while keys := keys_needed(items):
            try:
                found = await self._payloads.fetch(keys)
            except ScurryError as failure:
                for item in items:
                    if item.needs:
                        item.fail(failure)
                return
            supply(items, found, loaded.layouts, self._keys)
            work.alike = same_rows(items)

    async def _threaded(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Compute in a thread, and give up on it if it does not come back: it cannot be ended."""
        seconds = placement.limit(loaded.expected(work.rows))
        pool = self._threads.pool(loaded.pace.seconds)
        async with loaded.slots:
            running = asyncio.get_running_loop().run_in_executor(pool, self.compute, lane_call, work, loaded)
            try:
                return await asyncio.wait_for(asyncio.shield(running), seconds)
            except TimeoutError:
                log.error("%s: %s", lane_call.call.key, HUNG.format(seconds))  # noqa: TRY400
                self._threads.replace(pool)
                loaded.suspect = True
                work.items = None  # the thread may still write to those it has
        if self._children is None or len(work.requests) == 1:
            work.fail(Unavailable("deadline_exceeded", HUNG.format(seconds)))
            return []
        await self._fetch(work, loaded)  # one of them is to blame, or some: a child tells which
        return await self._apart(lane_call, work, loaded)

    async def _apart(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Compute in a child process, one request after the other."""
        assert self._children is not None
        start = time.perf_counter()
        await compute_apart(self._children, lane_call, work, loaded, self._clock)
        lane_call.busy += time.perf_counter() - start
        return self._written(lane_call, work, loaded)

    def _written(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        work.broken, work.ports = loaded.broken, loaded.layouts.outputs
        if work.expected:  # nobody is answered
            return []
        token = f"{self._token}{next(self._count):x}"
        return write_bodies(work.items or (), loaded.layouts, self._keys, lane_call.version, token)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    async def close(self) -> None:
        """Let threads and children go."""
        self._threads.close()
        if self._children is not None:
            await self._children.close()

    def __repr__(self) -> str:
        return f"<Computing in {self._threads!r} and {self._children!r}>"
