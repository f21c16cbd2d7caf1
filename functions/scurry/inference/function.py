"""The inference function: calls in, answers out.

1. A quick model that is on the shelf, asked by requests that bring everything with them, runs in the event loop
   itself: a thread would cost more than the model, and would fight the loop for the interpreter. The loop is given a
   turn every 2 ms, so heartbeats and other exchanges go on.
2. All else is a task: open the model if need be, fetch what is parked, compute in a thread, park what is large.
3. What lost its worker before comes back alone (`…/solo/…`) and computes in a child process.
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
from scurry.inference.shelf import Gone
from scurry.wire.errors import ScurryError
from scurry.wire.names import INFERENCE, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.endpoint.call import Call, State
    from scurry.inference.answers import Payload
    from scurry.inference.children import Children
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.payloads import Payloads
    from scurry.inference.shelf import Shelf

log = logging.getLogger(__name__)

_NEEDS = attrgetter("needs")


class Inference:
    """Answers the calls of `scurry/inference`."""

    typename = INFERENCE
    state: State | None = STATE

    def __init__(
        self,
        shelf: Shelf,
        payloads: Payloads,
        *,
        keys: Keys | None = None,
        worker: str = "",
        clock: Callable[[], float] = time.time,
        children: Children | None = None,
    ) -> None:
        self._shelf, self.loads = shelf, Loads(shelf, worker)
        self._computing = Computing(payloads, keys or Keys(), clock, children)
        self._clock = clock

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; quick ones at once, the others as they finish."""
        near: list[tuple[LaneCall, LoadedModel | None]] = []
        later: list[asyncio.Task[None]] = []
        for call in calls:
            lane_call = LaneCall(call)
            loaded = self._at_hand(lane_call)
            if loaded is None and (lane_call.works or not self.loads.over(lane_call.call, lane_call.changes)):
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
            payloads = self._computing.compute(lane_call, lane_call.works[0], loaded) if loaded is not None else []
            if payloads:
                later.append(asyncio.create_task(self._answer_parked(lane_call, payloads, done)))
            else:
                self._finish(lane_call, done)
        for outcome in await asyncio.gather(*later, return_exceptions=True) if later else ():
            if outcome is not None:
                log.error("a call was left unanswered", exc_info=outcome)

    def _at_hand(self, lane_call: LaneCall) -> LoadedModel | None:
        """The model, if these requests can be answered without waiting for anything."""
        if len(lane_call.works) != 1 or lane_call.changes or lane_call.solo:
            return None
        (work,) = lane_call.works
        loaded = self._shelf.find(lane_call.key, work.spec)
        if loaded is None:
            return None
        try:
            items = self._computing.claim(work, loaded)
        except Exception as cause:
            work.fail_unforeseen(lane_call.call.key, cause)
            return loaded
        if any(map(_NEEDS, items)):
            return None
        return loaded if self._computing.where(lane_call, work, loaded) is Where.LOOP else None

    async def _answer_later(self, lane_call: LaneCall, done: Callable[[Call], None]) -> None:
        """Answer a call that has to wait for something."""
        if lane_call.address is not None:
            changes = [self.loads.answer(lane_call.call, change) for change in lane_call.changes]
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
            work.fail_unforeseen(lane_call.call.key, cause)

    async def _answer_parked(
        self, lane_call: LaneCall, payloads: Sequence[Payload], done: Callable[[Call], None]
    ) -> None:
        """Answer a call whose outputs turned out to be large."""
        await self._computing.park(lane_call, lane_call.works[0], payloads)
        self._finish(lane_call, done)

    def _finish(self, lane_call: LaneCall, done: Callable[[Call], None]) -> None:
        """However a call went, it is answered."""
        key = lane_call.call.key
        try:
            lane_call.finish(int(self._clock() * 1000))
        except Exception:  # left unanswered it goes back to its router; the others of the exchange are answered
            log.exception("%s could not be answered", key)
        else:
            done(lane_call.call)

    async def _infer(self, lane_call: LaneCall, work: Work) -> None:
        loaded = await self._shelf.load(lane_call.key, work.spec)
        loaded.users += 1
        try:
            await self._computing.answer(lane_call, work, loaded)
        finally:
            loaded.users -= 1
            self._shelf.trim()

    async def close(self) -> None:
        """Let the threads and child processes go."""
        await self._computing.close()

    def __repr__(self) -> str:
        return f"<Inference {self.loads.worker or 'worker'}: {self._shelf!r}>"
