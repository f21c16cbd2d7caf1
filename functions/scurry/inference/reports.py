"""What a call answered, and what its lane has not reported yet.

What a call answered is told in the call's own result: to the router, when it asked for a report, else to the state of
the lane, where it waits for the next one. So each answer is counted exactly once, whatever is killed. A lane that
reports with each call, as a busy one does, keeps no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scurry.endpoint.call import State
from scurry.inference.shadowing import judge
from scurry.wire.messages_pb2 import Answered, Done, InferenceState
from scurry.wire.names import INFERENCE_STATE, TYPE_PREFIX
from scurry.wire.sequences import LONGEST_IDLE_MS
from scurry.wire.statistics import age_ms, answered_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.endpoint.call import Call
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.stages import Stages

STATE: Final = State(INFERENCE_STATE, f"{TYPE_PREFIX}InferenceState", expire_ms=LONGEST_IDLE_MS + 3_600_000)
"""Of a lane what it has not reported, of a sequence its tensors. A sequence that is never ended goes some time; its
idle time itself is looked at with each step."""


def answered(lane_call: LaneCall, now_ms: int) -> Answered:
    """What a call answered."""
    works = [work for work in lane_call.works if not work.expected]
    begun = sum([_begun(work) for work in works if work.graph is not None])  # counted when their runs end
    failed = [(item, work) for work in works for item in work.items or () if item.failure is not None]
    made = Answered(ok=lane_call.requests - len(failed) - begun, busy_micros=int(lane_call.busy * 1e6))
    for item, work in failed:
        _fail(made, item, now_ms if work.graph is None else None)
    if lane_call.cache_hits or lane_call.cache_misses:
        made.cache_hits, made.cache_misses = lane_call.cache_hits, lane_call.cache_misses
    _charge(made, lane_call.stages, now_ms)
    for work in works:
        for entry, requests in work.arrived if work.graph is None else ():
            made.waited.extend((age_ms(entry, now_ms), requests))
    if len(works) < len(lane_call.works):
        for work in lane_call.works:
            if work.expected:
                judge(lane_call, work, made.shadow)
    else:
        made.sizes.extend(filter(None, lane_call.sizes))
    return made


def counted(items: Sequence[BatchItem], busy_micros: int, stages: Stages, now_ms: int) -> Answered:
    """What some steps of a sequence are answered; the model's calls are shared with others, and counted nowhere."""
    made = Answered(ok=len(items), busy_micros=busy_micros)
    for item in items:
        made.waited.extend((age_ms(item.request.entry, now_ms), 1))
        if item.failure is not None:
            made.ok -= 1
            _fail(made, item, now_ms)
    _charge(made, stages, now_ms)
    return made


def _fail(made: Answered, item: BatchItem, now_ms: int | None) -> None:
    """Count a request that got an error, and how long it was on its way, where latencies are counted."""
    code = item.failure.code  # type: ignore[union-attr]
    made.errors[code] += 1
    if now_ms is not None:
        made.failed_millis[code] += age_ms(item.request.entry, now_ms)


def _charge(made: Answered, stages: Stages, now_ms: int) -> None:
    """Each request that the model answered is charged all of its call's time; those that memory answered none."""
    if made.ok <= 0:
        return
    made.last_millis = now_ms
    charged = 1e6 * max(0, made.ok - made.cache_hits)
    made.input_micros = int(stages.input * charged)
    made.compute_micros = int(stages.compute * charged)
    made.output_micros = int(stages.output * charged)


def _begun(work: Work) -> int:
    return sum([item.failure is None for item in work.items or ()])


def report(call: Call, done: Done, latest: Answered | None) -> None:
    """Put into a report all that its lane answered since the last one; none of it is kept."""
    if call.state:
        done.answered.extend(InferenceState.FromString(call.state).answered)
        call.keep(STATE, None)
    if latest is not None:
        done.answered.append(latest)
    done.busy_micros = sum([each.busy_micros for each in done.answered])
    done.requests = sum([answered_by(each) + each.shadow.compared for each in done.answered])


def keep(call: Call, latest: Answered) -> None:
    """Keep what a call answered until its lane is asked for a report. Serialised states joined are one with all."""
    call.keep(STATE, (call.state or b"") + InferenceState(answered=[latest]).SerializeToString())
