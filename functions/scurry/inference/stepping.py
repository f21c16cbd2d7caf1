"""Computes the steps of sequences: fetch, compute somewhere, park.

1. What lost its worker before computes in a child process, step by step.
2. A quick model computes in the event loop, which has its turn after each model call.
3. All else in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from scurry.inference import placement
from scurry.inference.apart import HUNG, bury_lost
from scurry.inference.laps import Laps, here
from scurry.inference.placement import TURN_SECONDS, Where
from scurry.inference.steps import run_tracks
from scurry.inference.steps_apart import Apart
from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from scurry.inference.answers import Payload
    from scurry.inference.computing import Computing
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.steps import Track

log = logging.getLogger(__name__)


Finished = Callable[[Sequence["Track"], Laps], None]
"""Is told of tracks without further steps, and what their last steps took together."""
LATE: Final = "The deadline passed {} ms ago; the sequence has gone on with the step."


class Hung(Exception):
    """The model did not come back: what its thread holds is not to be touched any more."""


class Stepping:
    """Computes with what the worker computes everything with."""

    def __init__(self, computing: Computing) -> None:
        self._computing = computing

    async def bring(self, works: Iterable[Work], loaded: LoadedModel) -> list[list[BatchItem]]:
        """What the requests bring, checked, and what of it is parked fetched."""
        brought = []
        for work in works:
            items = self._computing.claim(work, loaded)
            if any(item.needs for item in items):
                await self._computing.fetch(work, loaded)
            brought.append(items)
        return brought

    def apart(self, lane_call: LaneCall, loaded: LoadedModel) -> bool:
        """Whether a call's steps are to be computed in a child process; a model that has a process stays there."""
        if loaded.model.thread is not None or self._computing.children is None:
            return False
        return lane_call.solo or loaded.suspect

    async def compute_apart(self, lane_call: LaneCall, work: Work, track: Track, loaded: LoadedModel) -> None:
        """Run the steps of one call in a child process."""
        assert self._computing.children is not None
        await Apart(self._computing.children, loaded).run(lane_call, work, track)

    async def compute(self, tracks: Sequence[Track], loaded: LoadedModel, finished: Finished) -> Laps:
        """Run all steps together; returns the time that is not told to `finished`. Raises `Hung`.

        In the event loop what is finished is told after each model call, so that others can go on with it meanwhile.
        """
        sequences = loaded.model.sequences
        assert sequences is not None
        running = run_tracks(loaded, sequences, tracks)
        holds = loaded.model.holds_interpreter
        where = placement.place(
            loaded.expected(1), solo=False, suspect=False, steady=loaded.steady, holds_interpreter=holds
        )
        if where is Where.LOOP:
            return await _in_turns(running, finished)
        return await self._in_thread(running, loaded, sum([len(track.items) for track in tracks]))

    def now(self) -> int:
        """Epoch milliseconds."""
        return self._computing.now()

    def write(self, lane_call: LaneCall, work: Work, loaded: LoadedModel) -> Sequence[Payload]:
        """Serialise what the steps get; returns what is to be parked. Who is late has gone on, but gets no answer."""
        if loaded.model.thread is not None:
            bury_lost(lane_call, work)
        now = self.now()
        for item in work.items or ():
            if 0 < item.request.deadline < now and item.failure is None:
                item.failure = Unavailable("deadline_exceeded", LATE.format(now - item.request.deadline))
        return self._computing.written(work, loaded, lane_call.version)

    async def park(self, work: Work, payloads: Sequence[Payload]) -> None:
        """Put what is large where its readers find it."""
        await self._computing.park(work, payloads)

    async def _in_thread(self, running: Iterator[list[Track]], loaded: LoadedModel, rows: int) -> Laps:
        seconds = placement.limit(loaded.expected(rows))
        pool = loaded.model.thread or self._computing.threads.pool(loaded.pace.seconds)
        limit = None if loaded.model.thread else seconds  # a model that has a process is given up by ending that
        async with loaded.slots.at(0):
            done = asyncio.get_running_loop().run_in_executor(pool, _to_the_end, running)
            try:
                return await asyncio.wait_for(asyncio.shield(done), limit)
            except TimeoutError:
                log.error("%s@%s: %s", *loaded.key, HUNG.format(seconds))  # noqa: TRY400
                self._computing.threads.replace(pool)
                loaded.suspect = True
                raise Hung(HUNG.format(seconds)) from None

    def __repr__(self) -> str:
        return f"<Stepping with {self._computing!r}>"


async def _in_turns(running: Iterator[list[Track]], finished: Finished) -> Laps:
    laps, rest = here(), Laps()
    laps.begin()
    since = laps.at
    for tracks in running:
        laps.written()
        rest.add(laps)
        if tracks:
            finished(tracks, rest)
            rest = Laps()
        if time.perf_counter() - since > TURN_SECONDS:
            await asyncio.sleep(0)  # others have their turn, and their time
            since = time.perf_counter()
        laps.begin()
    laps.written()
    rest.add(laps)
    return rest


def _to_the_end(running: Iterator[list[Track]]) -> Laps:
    laps, whole = here(), Laps()
    laps.begin()
    for _ in running:
        laps.written()
    laps.written()
    whole.add(laps)
    return whole
