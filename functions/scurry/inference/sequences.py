"""Calls of sequences: those of one model share its batches.

Each call brings its sequence's state, and is answered with the state after its steps: what StateFun takes as one, the
job's checkpoint holds as one. So that a replay gives the same states, a step fails only for what would fail again: what
is wrong with it, or the model that refuses it. For all else, be it Redis that is away, its call is left unanswered, and
the transport asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Several
from typing import TYPE_CHECKING, Final

from scurry.inference.answers import send_replies
from scurry.inference.lane_call import BOUNCED, DONE, REQUESTS
from scurry.inference.laps import Laps
from scurry.inference.reports import STATE, counted
from scurry.inference.sequence_state import LiveSequence
from scurry.inference.shelf import Gone, identity_of
from scurry.inference.stepping import Hung
from scurry.inference.steps import Track
from scurry.wire.errors import NotFound, ScurryError
from scurry.wire.messages_pb2 import Bounced, Done, Requests
from scurry.wire.names import ROUTER
from scurry.wire.sequences import STEPS

if TYPE_CHECKING:
    from scurry.endpoint.call import Call
    from scurry.inference.answers import Payload
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.shelf import Shelf
    from scurry.inference.stepping import Stepping

log = logging.getLogger(__name__)

AGAIN: Final = frozenset({"unavailable", "load_failed", "model_not_ready"})
"""Failures that tell nothing of the step."""

Part = tuple["SequenceCall", "Work"]


class Sequences:
    """Serves the calls of sequences on one worker."""

    def __init__(
        self, shelf: Shelf, stepping: Stepping, note: Callable[[LaneCall], None] = lambda _: None
    ) -> None:
        self._shelf, self._stepping, self._note = shelf, stepping, note

    async def serve(self, lane_calls: Iterable[LaneCall], done: Callable[[Call], None]) -> None:
        """Answer the calls, those of a model as soon as they are finished."""
        groups: dict[tuple[str, str], list[SequenceCall]] = {}
        for lane_call in lane_calls:
            if lane_call.call.select(STATE):
                groups.setdefault(lane_call.key, []).append(SequenceCall(lane_call))
            else:
                done(lane_call.call)
        serving = [self._serve_model(group, done) for group in groups.values()]
        if len(serving) == 1:
            await serving[0]
        else:
            await asyncio.gather(*serving)

    async def _serve_model(self, group: Several[SequenceCall], done: Callable[[Call], None]) -> None:
        for parts in _by_registration(group):
            await self._answer(parts, done)
        for each in group:
            self._finish(each, done)

    async def _answer(self, parts: Several[Part], done: Callable[[Call], None]) -> None:
        """The steps for one registration. However it goes, each has an answer afterwards, or is asked again."""
        lane_call = parts[0][0].lane_call
        try:
            loaded = await self._shelf.load(lane_call.key, parts[0][1].spec)
            loaded.users += 1
            try:
                await self._compute(parts, loaded, done)
            finally:
                loaded.leave()
                self._shelf.trim()
        except Gone:
            sentence = f"{lane_call.model} version {lane_call.version} was unloaded: its sequences are gone with it."
            for _, work in parts:
                work.fail(NotFound("sequence_not_found", sentence))
        except (ScurryError, Hung) as failure:
            log.warning("%d steps of %s@%s wait for another try: %s", len(parts), *lane_call.key, failure)
            for each, _ in parts:
                each.lost = True
        except Exception as cause:
            for each in [each for each, _ in parts if not each.finished]:
                each.forget()
                for work in each.lane_call.works:  # what was computed of it before is forgotten with it
                    work.fail_unforeseen(each.lane_call.call.key, cause)

    async def _compute(self, parts: Several[Part], loaded: LoadedModel, done: Callable[[Call], None]) -> None:
        if loaded.model.sequences is None:
            raise RuntimeError("the model keeps no sequences")
        identity, stepping, whole = identity_of(parts[0][1].spec), self._stepping, Laps()
        together: dict[Track, Part] = {}
        apart: list[tuple[LaneCall, Work, Track]] = []
        for (each, work), items in zip(parts, await _bring(stepping, parts, loaded), strict=True):
            track = Track(each.live, identity, items, each.missed)
            if stepping.apart(each.lane_call, loaded):
                apart.append((each.lane_call, work, track))
            else:
                together[track] = each, work

        def finished(tracks: Several[Track], spent: Laps) -> None:
            """Nobody waits for the others of the exchange."""
            whole.add(spent)
            told = [together[track] for track in tracks]
            _charge(told, whole)
            for each in self._write_together(told, loaded, spent.total / len(told)):
                self._finish(each, done)

        rest = await stepping.compute([*together], loaded, finished) if together else Laps()
        for lane_call, work, track in apart:
            await stepping.compute_apart(lane_call, work, track, loaded)
        left = [part for part in parts if not part[0].finished]
        _charge(left, rest)
        await self._write(left, loaded, rest.total / len(parts))

    def _write_together(self, parts: Several[Part], loaded: LoadedModel, seconds: float) -> list[SequenceCall]:
        """What steps get after which their calls have no other; returns the calls that can be answered now."""
        writing = Laps()
        for each, work in parts:
            each.lane_call.busy += seconds
            if len(each.lane_call.works) == 1:
                each.payloads = self._stepping.write(each.lane_call, work, loaded)
        writing.written()
        _charge(parts, writing)
        return [each for each, _ in parts if len(each.lane_call.works) == 1 and not each.payloads]

    async def _write(self, parts: Several[Part], loaded: LoadedModel, seconds: float) -> None:
        """What the steps get that are not finished, parked if it is large."""
        writing = Laps()
        for each, work in parts:
            each.lane_call.busy += seconds
            payloads = each.payloads or self._stepping.write(each.lane_call, work, loaded)
            if payloads:
                await self._stepping.park(work, payloads)
        writing.written()
        _charge(parts, writing)

    def _finish(self, each: SequenceCall, done: Callable[[Call], None]) -> None:
        """Answer a call, once; or leave it unanswered, to be asked again."""
        if each.finished:
            return
        each.finished = True
        try:
            answered = each.finish(self._stepping.now())
        except Exception:
            log.exception("%s could not be answered", each.lane_call.call.key)
            return
        if answered:
            done(each.lane_call.call)
            self._note(each.lane_call)

    def __repr__(self) -> str:
        return f"<Sequences on {self._shelf!r}>"


class SequenceCall:
    """One call: its requests, the state that came with it, and the steps that are of another place."""

    __slots__ = ("finished", "lane_call", "live", "lost", "missed", "payloads")

    def __init__(self, lane_call: LaneCall) -> None:
        self.lane_call = lane_call
        self.live = LiveSequence(lane_call.call.state)
        self.missed: list[BatchItem] = []
        self.lost = False  # it is to be asked again
        self.finished = False
        self.payloads: Several[Payload] = ()  # written, but not parked

    def forget(self) -> None:
        """Whatever was computed has not been."""
        self.live, self.missed = LiveSequence(self.lane_call.call.state), []
        for work in self.lane_call.works:
            work.items = None

    def finish(self, now_ms: int) -> bool:
        """Replies to the egress; the state; and to the router how many are done, and which are of another place.

        False, and nothing is said, if the call is to be asked again.
        """
        lane_call, call, missed = self.lane_call, self.lane_call.call, self.missed
        items = [item for work in lane_call.works for item in work.items or ()]
        if self.lost or any(item.failure is not None and item.failure.code in AGAIN for item in items):
            return False
        if missed:
            items = [item for item in items if item not in missed]
            back = Requests(requests=[item.request for item in missed], version=lane_call.version, missed=True)
            bounced = Bounced(message=back.SerializeToString(), typename=REQUESTS, address=call.key)
            call.send(ROUTER, lane_call.model, BOUNCED, bounced.SerializeToString())
        if items:
            send_replies(call, items, lane_call.model, lane_call.version)
            done = Done(version=lane_call.version, lane=STEPS, requests=len(items), suspicious=lane_call.suspicious)
            done.busy_micros = int(lane_call.busy * 1e6)
            lane_call.told = counted(items, done.busy_micros, lane_call.stages, now_ms)
            done.answered.append(lane_call.told)
            call.send(ROUTER, lane_call.model, DONE, done.SerializeToString())
        changed, value = self.live.save()
        if changed:
            call.keep(STATE, value)
        return True

    def __repr__(self) -> str:
        return f"<SequenceCall {self.lane_call!r}, {self.live!r}>"


async def _bring(stepping: Stepping, parts: Several[Part], loaded: LoadedModel) -> list[list[BatchItem]]:
    reading = Laps()
    brought = await stepping.bring([work for _, work in parts], loaded)
    reading.asked()
    _charge(parts, reading)
    return brought


def _charge(parts: Iterable[Part], spent: Laps) -> None:
    """Each of the calls was here for all of it."""
    for each, _ in parts:
        each.lane_call.stages.add(spent)


def _by_registration(group: Several[SequenceCall]) -> Iterable[Several[Part]]:
    """What the calls bring, in the order in which it came to each of them; what is for one registration together."""
    for at in range(max(len(each.lane_call.works) for each in group)):
        parts: dict[str, list[Part]] = {}
        for each in group:
            if at < len(each.lane_call.works):
                work = each.lane_call.works[at]
                parts.setdefault(identity_of(work.spec), []).append((each, work))
        yield from parts.values()
