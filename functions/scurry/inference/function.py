"""The inference function: calls in, answers out.

1. A quick model that is on the shelf, asked by requests that bring everything with them, runs in the event loop
   itself: a thread would cost more than the model, and would fight the loop for the interpreter. The loop is given a
   turn every 2 ms, so heartbeats and other exchanges go on.
2. All else is a task: open the model if need be, fetch what is parked, compute in a thread, park what is large.
3. Steps of sequences are served together, see `sequences`.
4. What lost its worker before comes back alone (`…/solo/…`) and computes in a child process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from operator import attrgetter
from typing import TYPE_CHECKING

from scurry.inference.computing import Computing
from scurry.inference.lane_call import LaneCall, Work
from scurry.inference.loads import Loads
from scurry.inference.placement import TURN_SECONDS, Where
from scurry.inference.reports import STATE
from scurry.inference.response_cache import OFF, ResponseCache
from scurry.inference.sequences import Sequences
from scurry.inference.shelf import Gone
from scurry.inference.stepping import Stepping
from scurry.wire.addresses import Sequence
from scurry.wire.errors import ScurryError
from scurry.wire.names import Keys
from scurry.wire.pools import DEFAULT_POOL, function_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from collections.abc import Sequence as Several

    from scurry.endpoint.call import Call, State
    from scurry.inference.answers import Payload
    from scurry.inference.children import Children
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.payloads import Payloads
    from scurry.inference.shelf import Shelf

    Done = Callable[[Call], None]

log = logging.getLogger(__name__)

_NEEDS = attrgetter("needs")


class Inference:
    """Answers the calls of a pool's function, and tells each that is answered to `note`, which counts."""

    state: State | None = STATE

    def __init__(
        self,
        shelf: Shelf,
        payloads: Payloads,
        *,
        keys: Keys | None = None,
        worker: str = "", pool: str = DEFAULT_POOL,
        clock: Callable[[], float] = time.time,
        children: Children | None = None,
        cache: ResponseCache = OFF, note: Callable[[LaneCall], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.typename, self._shelf, self.loads = function_of(pool), shelf, Loads(shelf, worker, cache=cache)
        self._computing = Computing(payloads, keys or Keys(), clock, children, cache)
        self._clock, self._note = clock, note
        self._sequences = Sequences(shelf, Stepping(self._computing), note)

    async def serve(self, calls: Several[Call], done: Done) -> None:
        """Answer every call; quick ones at once, the others as they finish."""
        near: list[tuple[LaneCall, LoadedModel | None]] = []
        lane_calls, steps = _sorted(calls)
        waiting = [self._sequences.serve(steps, done)] if steps else []
        for lane_call in lane_calls:
            loaded = self._at_hand(lane_call)
            if loaded is None and (lane_call.works or not self.loads.over(lane_call.call, lane_call.changes)):
                waiting.append(self._answer_later(lane_call, done))
            else:
                near.append((lane_call, loaded))
        if len(waiting) == 1 and not near:
            await _logged(waiting)  # a task of its own would be for nobody
            return
        if later := [asyncio.create_task(each) for each in waiting]:
            await asyncio.sleep(0)  # what takes longer begins first
        since = time.perf_counter()
        for lane_call, loaded in near:
            if time.perf_counter() - since > TURN_SECONDS:
                await asyncio.sleep(0)
                since = time.perf_counter()
            payloads = self._computing.compute(lane_call, lane_call.works[0], loaded) if loaded is not None else []
            if payloads:
                later.append(asyncio.create_task(self._answer_parked(lane_call, payloads, done)))
            else:
                self._finish(lane_call, done)
        await _logged(later)

    def _at_hand(self, lane_call: LaneCall) -> LoadedModel | None:
        """The model, if these requests can be answered without waiting for anything."""
        if len(lane_call.works) != 1 or lane_call.changes or lane_call.solo:
            return None
        (work,) = lane_call.works
        loaded = self._shelf.find(lane_call.key, work.spec)
        if loaded is None:
            return None
        start = time.perf_counter()
        try:
            items = self._computing.claim(work, loaded)
        except Exception as cause:
            work.fail_unforeseen(lane_call.call.key, cause)
            return loaded
        lane_call.stages.input += time.perf_counter() - start
        if any(map(_NEEDS, items)) or self._computing.where(lane_call, work, loaded) is not Where.LOOP:
            return None
        self._shelf.statistics.hits += len(items)
        return loaded

    async def _answer_later(self, lane_call: LaneCall, done: Done) -> None:
        """Answer a call that has to wait for something."""
        if lane_call.address is not None:
            await self.loads.answer_all(lane_call.call, lane_call.changes)
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
            work.fail_unforeseen(lane_call.call.key, cause)

    async def _answer_parked(self, lane_call: LaneCall, payloads: Several[Payload], done: Done) -> None:
        """Answer a call whose outputs turned out to be large."""
        lane_call.stages.output += await self._computing.park(lane_call.works[0], payloads, lane_call.call.key)
        self._finish(lane_call, done)

    def _finish(self, lane_call: LaneCall, done: Done) -> None:
        """However a call went, it is answered."""
        try:
            lane_call.finish(int(self._clock() * 1000))
        except Exception:  # left unanswered it goes back to its router; the others of the exchange are answered
            log.exception("%s could not be answered", lane_call.call.key)
        else:
            done(lane_call.call)
            self._note(lane_call)

    async def _infer(self, lane_call: LaneCall, work: Work) -> None:
        loaded = await self._shelf.load(lane_call.key, work.spec, len(work.requests))
        loaded.users += 1
        try:
            await self._computing.answer(lane_call, work, loaded)
        finally:
            loaded.leave()
            self._shelf.trim()

    async def close(self) -> None:
        """Let the threads and child processes go."""
        await self._computing.close()
        self._shelf.clear()

    def __repr__(self) -> str:
        return f"<Inference {self.loads.worker or 'worker'}: {self._shelf!r}>"


async def _logged(answers: Several[Awaitable[None]]) -> None:
    """Wait for all answers; one that fails is left out."""
    if len(answers) == 1:
        try:
            await answers[0]
        except Exception:
            log.exception("a call was left unanswered")
    elif answers:
        for outcome in await asyncio.gather(*answers, return_exceptions=True):
            if outcome is not None:
                log.error("a call was left unanswered", exc_info=outcome)


def _sorted(calls: Several[Call]) -> tuple[list[LaneCall], list[LaneCall]]:
    """What the calls bring for lanes and the like, and for sequences."""
    lanes: list[LaneCall] = []
    steps: list[LaneCall] = []
    for lane_call in map(LaneCall, calls):
        (steps if isinstance(lane_call.address, Sequence) else lanes).append(lane_call)
    return lanes, steps
