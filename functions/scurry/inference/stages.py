"""Where a call's time goes: queue, input, compute, output.

The words and the way of counting are Triton's. Queue is from the request's arrival in Redis until its call has come to
the worker; input is reading and fetching what requests bring, the steps before the model, stacking; compute is the
model's own call; output is splitting, the steps behind it, writing and parking the answers. What a call waits here for
a model to load or for its turn is none of them. Each request is charged the whole time of the batch that it was in: a
stage's sum by its requests is the mean.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from scurry.telemetry.prometheus import OTHER, Bounded, Figure, Histogram, Labels
from scurry.wire.statistics import STAGES, answered_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scurry.inference.lane_call import LaneCall
    from scurry.inference.laps import Laps
    from scurry.wire.messages_pb2 import Answered

SIZES: Final = tuple(1 << power for power in range(11))
NAMES: Final = ("queue", *STAGES)


class Stages:
    """Of one call: when it came, and the seconds of each stage."""

    __slots__ = ("came", "compute", "input", "output")

    def __init__(self) -> None:
        self.came = time.time()
        self.input = self.compute = self.output = 0.0

    def add(self, laps: Laps) -> float:
        """Something was computed; returns all its seconds."""
        self.input += laps.input
        self.compute += laps.compute
        self.output += laps.output
        return laps.total

    def here_ms(self) -> int:
        """How long it has been here by now."""
        return max(0, int((time.time() - self.came) * 1000))

    def __repr__(self) -> str:
        return f"<Stages input {self.input:.6f} s, compute {self.compute:.6f} s, output {self.output:.6f} s>"


class VersionCounts:
    """What one version's calls came to."""

    __slots__ = ("codes", "seconds", "sizes")

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.seconds = [0.0, 0.0, 0.0, 0.0]
        self.sizes = Histogram(SIZES)

    def note(self, stages: Stages, told: Answered, queue: float) -> None:
        """One call was answered."""
        requests, seconds = answered_by(told), self.seconds
        seconds[0] += queue
        seconds[1] += stages.input * requests
        seconds[2] += stages.compute * requests
        seconds[3] += stages.output * requests
        self.codes["ok"] += told.ok
        if told.errors:
            self.codes.update(told.errors)
        for size in told.sizes:
            self.sizes.note(size)

    def figures(self, labels: Labels) -> Iterator[Figure]:
        """All of it."""
        for code, count in self.codes.items():
            told = "Requests that this worker answered, by code"
            yield Figure("scurry_worker_requests_total", "counter", told, count, (*labels, ("code", code)))
        for stage, seconds in zip(NAMES, self.seconds, strict=True):
            told = "Time of requests at a stage: queue, input, compute or output"
            yield Figure("scurry_worker_stage_seconds_total", "counter", told, seconds, (*labels, ("stage", stage)))
        yield from self.sizes.figures("scurry_worker_batch_size", "Requests in a call of the model", labels)

    def __repr__(self) -> str:
        return f"<VersionCounts {dict(self.codes)}>"


class StageCounts:
    """What the calls of a worker came to, by model and version; some models share their counts."""

    def __init__(self, named: Bounded) -> None:
        self._named = named
        self._others = VersionCounts()
        self._versions: dict[tuple[str, str], VersionCounts] = {}

    def note(self, lane_call: LaneCall) -> None:
        """A call is answered, now."""
        told = lane_call.told
        if told is None:
            return
        counts = self._versions.get(lane_call.key)
        if counts is None:
            own = self._named.label(lane_call.model) == lane_call.model
            counts = self._versions[lane_call.key] = VersionCounts() if own else self._others
        counts.note(lane_call.stages, told, queued(told.waited, lane_call.stages.here_ms()))

    def figures(self) -> Iterator[Figure]:
        """All of it."""
        for (model, version), counts in self._versions.items():
            if counts is not self._others:
                yield from counts.figures((("model", model), ("version", version)))
        if self._others.codes:
            yield from self._others.figures((("model", OTHER), ("version", "")))

    def __repr__(self) -> str:
        return f"<StageCounts of {len(self._versions)} versions>"


def queued(waited: Sequence[int], here_ms: int) -> float:
    """Seconds that requests waited before they came here; of each message its age by now, and how many it has."""
    return sum([max(0, age - here_ms) * requests for age, requests in pairs(waited)]) / 1000


def pairs(flat: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Numbers two by two."""
    each = iter(flat)
    return zip(each, each, strict=True)
