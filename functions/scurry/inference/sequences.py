"""Calls of sequences: those of one model that came together share its batches.

Each has a sequence's state, and is answered with the state after its steps: what StateFun takes as one, the job's
checkpoint holds as one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from scurry.endpoint.call import State
from scurry.inference.answers import write_replies
from scurry.inference.lane_call import BOUNCED, DONE, REPLIES, REQUESTS
from scurry.inference.sequence_state import LiveSequence
from scurry.inference.shelf import Gone, identity_of
from scurry.inference.steps import Track
from scurry.inference.stepping import Hung
from scurry.wire.errors import Failed, ScurryError, Unavailable
from scurry.wire.messages_pb2 import Bounced, Done, Requests
from scurry.wire.names import EGRESS, INFERENCE_STATE, ROUTER, TYPE_PREFIX
from scurry.wire.sequences import LONGEST_IDLE_MS, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.endpoint.call import Call
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.shelf import Shelf
    from scurry.inference.stepping import Stepping

log = logging.getLogger(__name__)

STATE: Final = State(INFERENCE_STATE, f"{TYPE_PREFIX}InferenceState", expire_ms=LONGEST_IDLE_MS + 3_600_000)
"""What is not ended is forgotten in the end; the idle time itself is looked at with each step."""


class Sequences:
    """Serves them on one worker."""

    def __init__(self, shelf: Shelf, stepping: Stepping) -> None:
        self._shelf, self._stepping = shelf, stepping

    async def serve(self, lane_calls: Sequence[LaneCall], done: Callable[[Call], None]) -> None:
        """Answer the calls, each model's as soon as they are finished."""
        groups: dict[tuple[str, str], list[_SequenceCall]] = {}
        for lane_call in lane_calls:
            if lane_call.call.select(STATE):
                groups.setdefault(lane_call.key, []).append(_SequenceCall(lane_call))
            else:
                done(lane_call.call)
        serving = [self._serve_group(group, done) for group in groups.values()]
        if len(serving) == 1:
            await serving[0]
        else:
            await asyncio.gather(*serving)

    async def _serve_group(self, group: Sequence[_SequenceCall], done: Callable[[Call], None]) -> None:
        for at in range(max(len(each.lane_call.works) for each in group)):
            together: dict[str, list[_SequenceCall]] = {}
            for each in group:
                if at < len(each.lane_call.works):
                    together.setdefault(identity_of(each.lane_call.works[at].spec), []).append(each)
            for identity, calls in together.items():
                await self._compute(identity, [(each, each.lane_call.works[at]) for each in calls])
        for each in group:
            try:
                each.finish()
            except Exception:
                log.exception("%s could not be answered", each.lane_call.call.key)
            else:
                done(each.lane_call.call)

    async def _compute(self, identity: str, pairs: Sequence[tuple[_SequenceCall, Work]]) -> None:
        """The steps of one registration. However it goes, each step has an answer afterwards."""
        lane_call = pairs[0][0].lane_call
        start = time.perf_counter()
        try:
            loaded = await self._shelf.load(lane_call.key, pairs[0][1].spec)
            if loaded.model.sequences is None:
                raise Failed("internal", "The model keeps no sequences.")
            loaded.users += 1
            try:
                works = [work for _, work in pairs]
                items = await self._stepping.bring(works, loaded)
                tracks = [Track(each.live, identity, made) for (each, _), made in zip(pairs, items, strict=True)]
                start = time.perf_counter()
                await self._stepping.compute(works, tracks, loaded, lane_call.version)
                for (each, _), track in zip(pairs, tracks, strict=True):
                    each.missed += track.missed
            finally:
                loaded.users -= 1
                self._shelf.trim()
        except Hung as hung:
            for each, work in pairs:
                each.live, work.items = LiveSequence(each.lane_call.call.state), None  # the thread may still write
            _fail(pairs, hung.failure)
        except Gone:
            sentence = f"{lane_call.model} version {lane_call.version} was unloaded: begin the sequence anew."
            _fail(pairs, Unavailable("model_not_ready", sentence))
        except ScurryError as failure:
            _fail(pairs, failure)
        except Exception as cause:
            for each, work in pairs:
                work.fail_unforeseen(each.lane_call.call.key, cause)
        took = (time.perf_counter() - start) / len(pairs)
        for each, _ in pairs:
            each.lane_call.busy += took

    def __repr__(self) -> str:
        return f"<Sequences on {self._shelf!r}>"


def _fail(pairs: Sequence[tuple[_SequenceCall, Work]], failure: ScurryError) -> None:
    for each, work in pairs:
        work.fail(failure)
        for request in work.requests:
            each.live.fail(request, failure)


class _SequenceCall:
    """One call: its requests, the state that came with it, and what of it belongs elsewhere."""

    __slots__ = ("lane_call", "live", "missed")

    def __init__(self, lane_call: LaneCall) -> None:
        self.lane_call = lane_call
        self.live = LiveSequence(lane_call.call.state)
        self.missed: list[BatchItem] = []

    def finish(self) -> None:
        """Replies to the egress, the state, and to the router how many are done and which it has to send elsewhere."""
        lane_call, call = self.lane_call, self.lane_call.call
        gone = set(self.missed)
        items = [item for work in lane_call.works for item in work.items or () if item not in gone]
        if items:
            call.egress(EGRESS, REPLIES, write_replies(items, lane_call.model, lane_call.version))
            done = Done(version=lane_call.version, lane=STEPS, requests=len(items))
            done.busy_micros = max(1, int(lane_call.busy * 1e6))
            call.send(ROUTER, lane_call.model, DONE, done.SerializeToString())
        if self.missed:
            back = Requests(requests=[item.request for item in self.missed], version=lane_call.version, missed=True)
            bounced = Bounced(message=back.SerializeToString(), typename=REQUESTS, address=call.key)
            call.send(ROUTER, lane_call.model, BOUNCED, bounced.SerializeToString())
        changed, value = self.live.save()
        if changed:
            call.keep(STATE, value)
