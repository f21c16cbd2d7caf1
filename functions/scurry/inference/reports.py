"""What a call answered, and what its lane has not reported yet.

What a call answered is told in the call's own result: to the router, when it asked for a report, else to the state of
the lane, where it waits for the next one. So each answer is counted exactly once, whatever is killed. A lane that
reports with each call, as a busy one does, keeps no state.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scurry.endpoint.call import State
from scurry.inference.shadowing import judge
from scurry.wire.messages_pb2 import Answered, Done, InferenceState
from scurry.wire.names import INFERENCE_STATE, TYPE_PREFIX
from scurry.wire.statistics import answered_by

if TYPE_CHECKING:
    from scurry.endpoint.call import Call
    from scurry.inference.lane_call import LaneCall

STATE: Final = State(INFERENCE_STATE, f"{TYPE_PREFIX}InferenceState")
LONGEST_MS: Final = 86_400_000
"""A request is taken to have waited no longer; entries may bear ids that are no times."""


def answered(lane_call: LaneCall, now_ms: int) -> Answered:
    """What a call answered."""
    works = [work for work in lane_call.works if not work.expected]
    failed = [item.failure.code for work in works for item in work.items or () if item.failure is not None]
    made = Answered(ok=lane_call.requests - len(failed), busy_micros=int(lane_call.busy * 1e6))
    if failed:
        made.errors.update(Counter(failed))
    for work in works:
        for entry, requests in work.arrived:
            made.waited.extend((_age(entry, now_ms), requests))
    if len(works) < len(lane_call.works):
        for work in lane_call.works:
            if work.expected:
                judge(lane_call, work, made.shadow)
    else:
        made.sizes.extend(filter(None, lane_call.sizes))
    return made


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


def _age(entry: str, now_ms: int) -> int:
    """Milliseconds since a request was written to its stream."""
    written = entry[entry.rfind("/") + 1 : entry.rfind("-")]
    return min(max(now_ms - int(written), 0), LONGEST_MS) if written.isdecimal() else 0
