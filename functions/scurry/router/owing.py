"""Reports that lanes owe, of what they have and what they answered."""

from __future__ import annotations

from operator import lt

from scurry.wire.messages_pb2 import LaneCounters


def unasked(counters: LaneCounters) -> list[tuple[int, int]]:
    """(lane, sequence) of the lanes that owe a report and were not asked for it; they count as asked now."""
    flush = [(lane, sent) for lane, sent in enumerate(counters.sent) if counters.asked[lane] < sent]
    counters.asked[:] = counters.sent
    return flush


def owe(counters: LaneCounters, lane: int) -> None:
    """What a lane had came back: what it answered before that and has not reported it still has to."""
    if lane < len(counters.sent):
        counters.asked[lane] = counters.sent[lane] - 1


def owing(counters: LaneCounters) -> bool:
    """Whether a lane that has finished all it had has yet to say what it answered."""
    return any(map(lt, counters.asked, counters.done))
