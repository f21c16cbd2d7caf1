"""What a call counts, and what its lane has not reported yet.

Counts are made of the answers of a call and leave with them, in the same result: to the router, when it asked for a
report, else into the state of the lane, where they wait for the next one. So each answer is counted exactly once,
whatever is killed. A lane that reports with each call keeps no state.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scurry.endpoint.call import State
from scurry.wire.messages_pb2 import InferenceState, Statistics
from scurry.wire.names import INFERENCE_STATE, TYPE_PREFIX
from scurry.wire.statistics import BATCH_BUCKETS, LATENCY_BUCKETS, merge, place

if TYPE_CHECKING:
    from scurry.endpoint.call import Call
    from scurry.inference.lane_call import LaneCall

STATE: Final = State(INFERENCE_STATE, f"{TYPE_PREFIX}InferenceState")
LONGEST_MS: Final = 86_400_000
"""A request is taken to have waited no longer; entries may bear ids that are no times."""


def count(lane_call: LaneCall, now_ms: int) -> Statistics:
    """What became of the requests of a call."""
    statistics = Statistics()
    counts = statistics.primary
    failed = Counter(
        [item.failure.code for work in lane_call.works for item in work.items or () if item.failure is not None]
    )
    for code, number in failed.items():
        counts.errors[code] = number
    counts.ok = lane_call.requests - failed.total()
    counts.busy_micros = int(lane_call.busy * 1e6)
    latency, batches = [0] * LATENCY_BUCKETS, [0] * BATCH_BUCKETS
    for work in lane_call.works:
        for entry, number in work.arrived:
            age = _age(entry, now_ms)
            latency[place(age, LATENCY_BUCKETS)] += number
            counts.latency_millis += age * number
    for size in filter(None, lane_call.sizes):
        batches[place(size, BATCH_BUCKETS)] += 1
    counts.latency[:] = _shortened(latency)
    counts.batches[:] = _shortened(batches)
    return statistics


def report(call: Call, counted: Statistics) -> Statistics:
    """All that the lane counted since its last report, this call included; none of it is kept."""
    if call.state:
        merge(counted, InferenceState.FromString(call.state).statistics)
        call.keep(STATE, None)
    return counted


def keep(call: Call, counted: Statistics) -> None:
    """Keep what a call counted until its lane is asked for a report."""
    state = InferenceState.FromString(call.state) if call.state else InferenceState()
    merge(state.statistics, counted)
    call.keep(STATE, state.SerializeToString())


def _age(entry: str, now_ms: int) -> int:
    """Milliseconds since the first of requests that travel together was written to its stream."""
    written = entry.rpartition("/")[2].partition("-")[0]
    return min(max(now_ms - int(written), 0), LONGEST_MS) if written.isdecimal() else 0


def _shortened(histogram: list[int]) -> list[int]:
    while histogram and not histogram[-1]:
        histogram.pop()
    return histogram
