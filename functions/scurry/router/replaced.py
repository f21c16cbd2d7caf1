"""The spec that was replaced, while requests are on their way to it."""

from __future__ import annotations

from operator import ge

from scurry.wire.messages_pb2 import LaneCounters


def leave_behind(counters: LaneCounters, generation: int) -> None:
    """What is outstanding was sent to a spec of this generation, which another one has replaced."""
    counters.leaving[:] = counters.sent
    counters.leaving_generation = generation
    counters.apart_until = 0


def left_behind(counters: LaneCounters, *, expired: bool = False) -> int:
    """Its generation, once all that was sent to it is finished, or waited for long enough; else 0. It is told once."""
    generation = counters.leaving_generation
    finished = not counters.away and all(map(ge, counters.done, counters.leaving))
    if not generation or not (finished or expired):
        return 0
    counters.leaving_generation = 0
    del counters.leaving[:]
    return generation
