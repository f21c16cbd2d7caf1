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
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from scurry.inference import placement
from scurry.inference.answers import Payload, write_bodies
from scurry.inference.apart import HUNG, compute_apart, try_again
from scurry.inference.batch import batches, run, same_rows
from scurry.inference.fetching import fetch, park
from scurry.inference.items import BatchItem, claim, drop_late
from scurry.inference.laps import here
from scurry.inference.pieces import pieces
from scurry.inference.placement import OUTLIER_SECONDS, TURN_SECONDS, Where
from scurry.inference.response_cache import OFF, ResponseCache, remembered
from scurry.inference.sizes import BatchSizes
from scurry.inference.threads import Threads
from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from scurry.inference.children import Children
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.payloads import Payloads
    from scurry.wire.names import Keys

log = logging.getLogger(__name__)

Clock = Callable[[], float]

ALONE: Final = BatchSizes(1)


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
            seconds = here().written() - start
            loaded.pace.note(seconds, time.thread_time() - self.cpu if seconds > OUTLIER_SECONDS else 0.0)
        return len(on_time)


async def within(seconds: float | None, pool: Executor, work: Callable[[], list[Payload]]) -> list[Payload]:
    """What comes of work in a thread. Raises `TimeoutError` when it does not come back in time; it goes on then."""
    running = asyncio.get_running_loop().run_in_executor(pool, work)
    return await asyncio.wait_for(asyncio.shield(running), seconds)


class Computing:
    """What a worker computes with. Without `children` all that would run in one runs in a thread."""

    def __init__(
        self, payloads: Payloads, keys: Keys, clock: Clock, children: Children | None = None, cache: ResponseCache = OFF
    ) -> None:
        self._payloads, self._keys, self._clock, self._cache = payloads, keys, clock, cache
        self.threads, self.children, self._stopwatch = Threads(), children, Stopwatch()
        self._token, self._count = secrets.token_hex(6), itertools.count()  # names that no other worker gives

    def claim(self, work: Work, loaded: LoadedModel) -> list[BatchItem]:
        """What the requests bring, each checked against the model, once."""
        if work.items is None:
            work.items = claim(work.requests, loaded.layouts, self._keys)
            work.alike = same_rows(work.items)
        return work.items

    def where(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> Where:
        """Where these requests are computed; those of a graph are not."""
        found = Where.LOOP if loaded.graph is not None else _place(lane_call, work, loaded)
        return Where.THREAD if found is Where.CHILD and self.children is None else found

    async def answer(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> None:
        """Answer requests that have to wait for something. Raises `ScurryError`."""
        start = time.perf_counter()
        drop_late(self.claim(work, loaded), self.now())
        await self.fetch(work, loaded)
        lane_call.stages.input += time.perf_counter() - start
        where = self.where(lane_call, work, loaded)
        if where is Where.LOOP:
            payloads = self.compute(lane_call, work, loaded)
        else:
            payloads = await (self._apart if where is Where.CHILD else self._threaded)(lane_call, work, loaded)
        if payloads:
            lane_call.stages.output += await self.park(work, payloads, lane_call.call.key)

    def compute(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Run all that is ready and serialise it; in the event loop or in a thread, and it never raises."""
        if loaded.graph is not None:
            work.graph = loaded.graph, loaded.layouts
            return []
        laps, sizes = here(), ALONE if lane_call.solo else loaded.layouts.sizes
        laps.begin()
        try:
            missed = remembered(self._cache, lane_call, work) if loaded.cached else ()
            for batch in batches(work.items or (), sizes, batched=loaded.model.batched, alike=work.alike):
                lane_call.sizes.append(self._stopwatch.run(loaded, batch, self.now()))
            if loaded.model.thread is not None:
                try_again(lane_call, work, lambda item: self._stopwatch.run(loaded, [item], self.now()))
            self._cache.keep(work.spec, missed)
            return self.written(work, loaded, lane_call.version)
        except Exception as cause:
            work.fail_unforeseen(lane_call.call.key, cause)
            return []
        finally:
            laps.written()
            lane_call.busy += lane_call.stages.add(laps)

    async def park(self, work: Work, payloads: Sequence[Payload], key: str = "") -> float:
        """Put what is large where its readers find it; returns the seconds that it took."""
        return await park(self._payloads, key, work, payloads)

    async def fetch(self, work: Work, loaded: LoadedModel) -> None:
        """Bring what is parked; of a graph only bodies, for its tensors are read by those whose turn it is."""
        items = self.claim(work, loaded)
        if await fetch(self._payloads, items, loaded.layouts, self._keys, bodies=loaded.graph is not None):
            work.alike = same_rows(items)

    async def _threaded(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Compute in a thread, and give up on it if it does not come back: it cannot be ended."""
        pool, payloads = loaded.model.thread or self.threads.pool(loaded.pace.seconds), list[Payload]()
        for part in pieces(work, loaded, lane_call.level):
            seconds = placement.limit(loaded.expected(part.rows))
            limit = None if loaded.model.thread else seconds  # a model that has a process is given up by ending that
            async with loaded.slots.at(lane_call.level):
                try:
                    payloads += await within(limit, pool, partial(self.compute, lane_call, part, loaded))
                except TimeoutError:
                    log.error("%s: %s", lane_call.call.key, HUNG.format(seconds))  # noqa: TRY400
                    self.threads.replace(pool)
                    loaded.suspect = True
                    break
            work.broken, work.ports = part.broken, part.ports
        else:
            return payloads
        work.items = None  # the thread may still write to those it has
        if self.children is None or len(work.requests) == 1:
            work.fail(Unavailable("deadline_exceeded", HUNG.format(seconds)))
            return []
        await self.fetch(work, loaded)  # one of them is to blame, or some: a child tells which
        return await self._apart(lane_call, work, loaded)

    async def _apart(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> list[Payload]:
        """Compute in a child process, one request after the other."""
        assert self.children is not None
        laps = await compute_apart(self.children, lane_call, work, loaded, self._clock)
        payloads = self.written(work, loaded, lane_call.version)
        laps.written()
        lane_call.busy += lane_call.stages.add(laps)
        return payloads

    def written(self, work: Work, loaded: LoadedModel, version: str) -> list[Payload]:
        """Serialise what the requests get; returns what has to be parked before the replies leave."""
        work.broken, work.ports = loaded.broken, loaded.layouts.outputs
        items = () if work.expected else work.items or ()  # whoever got a copy is not answered
        return write_bodies(items, loaded.layouts, self._keys, version, f"{self._token}{next(self._count):x}")

    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self._clock() * 1000)

    async def close(self) -> None:
        """Let threads and children go."""
        self.threads.close()
        if self.children is not None:
            await self.children.close()

    def __repr__(self) -> str:
        return f"<Computing in {self.threads!r} and {self.children!r}>"


def _place(lane_call: LaneCall, work: Work, loaded: LoadedModel) -> Where:
    return placement.place(
        loaded.expected(work.rows),
        solo=lane_call.solo,
        suspect=loaded.suspect,
        steady=loaded.steady,
        holds_interpreter=loaded.model.holds_interpreter,
        isolated=loaded.model.thread is not None,
    )
