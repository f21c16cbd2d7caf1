"""One version's lanes, and what is outstanding on each."""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub

from scurry.router import policy
from scurry.router.admission import Admission
from scurry.router.room import Room
from scurry.wire.messages_pb2 import LaneCounters, Requests, VersionRoute
from scurry.wire.names import LANES, MOST_LANES
from scurry.wire.pools import function_of


class Lanes:
    """One version's route with the counters of its lanes; lane 16·l + k is lane k of level l."""

    __slots__ = (
        "_base", "admission", "counters", "draining", "function", "max_batch_size", "room", "route", "sequences",
        "stamp", "target", "version", "watched", "weight",
    )  # fmt: skip

    def __init__(
        self, route: VersionRoute, counters: LaneCounters, admission: Admission | None = None, base: int = 0
    ) -> None:
        self._base = base  # no report of what went before is above this
        self.admission = admission  # None: nothing holds for its requests in particular
        self.route = route
        self.counters = counters
        self.version = route.version
        self.function = route.function  # a user's own, or empty
        self.target = route.function or function_of(route.spec.pool)  # who computes
        self.draining = route.draining
        self.sequences = route.sequences  # each request is a step of one
        self.watched = route.tell_every > 0  # it is rolled out
        self.weight = 0 if self.draining else route.weight
        self.max_batch_size = route.spec.max_batch_size or policy.DEFAULT_BATCH
        self.room = Room(route, counters, self.max_batch_size)
        self.stamp = Requests(spec=route.spec, version=route.version).SerializeToString()  # the same on every message

    @property
    def outstanding(self) -> list[int]:
        """Requests sent and not known to be finished, per lane."""
        return list(map(sub, self.counters.sent, self.counters.done))

    def outstanding_at(self, level: int) -> list[int]:
        """The same for the lanes of one level, from its own lane 0 on; at least as many as there are at the start."""
        outstanding = self.outstanding
        if level or len(outstanding) > MOST_LANES:
            outstanding = outstanding[level * MOST_LANES : (level + 1) * MOST_LANES]
        return outstanding if len(outstanding) >= LANES else [*outstanding, *[0] * (LANES - len(outstanding))]

    def emptiest(self, level: int = 0) -> int:
        """The lane of a level with least outstanding, of those that share its requests."""
        outstanding = self.outstanding_at(level)[: self.room.most]
        outstanding += [0] * (self.room.first - len(outstanding))
        return level * MOST_LANES + outstanding.index(min(outstanding))

    def spread(self, level: int, outstanding: Sequence[int], count: int) -> list[tuple[int, int]]:
        """How many of so many requests go to which lane of a level."""
        parts = self.room.spread(outstanding, count)
        return [(level * MOST_LANES + lane, size) for lane, size in parts] if level else parts

    @property
    def generation(self) -> int:
        """Which registration of the version this is."""
        return self.route.spec.generation

    @property
    def replaced(self) -> int:
        """The generation before, while requests may be on their way to it; else 0."""
        return self.counters.leaving_generation

    @property
    def idle(self) -> bool:
        """Nothing is outstanding, nor on its way back."""
        return not self.counters.away and list(self.counters.sent) == list(self.counters.done)

    def send(self, lane: int, count: int, *, ask: bool = False) -> tuple[int, bool]:
        """Count `count` requests onto a lane; returns its new sequence and whether to ask for a report."""
        counters = self.counters
        if lane >= len(counters.sent):
            for each in (counters.sent, counters.done, counters.asked):
                each.extend([self._base] * (lane + 1 - len(each)))
        sent = counters.sent[lane] + count
        counters.sent[lane] = sent
        unasked, outstanding, room = sent - counters.asked[lane], sent - counters.done[lane], self.room
        ask = ask or self.draining or self.watched
        if ask or policy.wants_report(lane, unasked, outstanding, room.cap, room.bound, every=room.report_every):
            counters.asked[lane] = sent
            return sent, True
        return sent, False

    def suspect(self, now: int) -> None:
        """A request of this version ends what computes it: more may come, and are computed apart for a while."""
        self.counters.apart_until = now + policy.APART_MS

    def apart(self, now: int) -> bool:
        """Whether requests are to be computed in child processes."""
        return self.counters.apart_until > now

    def finish(self, lane: int, sequence: int) -> bool:
        """The lane has finished all up to `sequence`, or had told so before (False). Extra lanes that are idle go."""
        counters = self.counters
        if not (0 <= lane < len(counters.sent) and counters.done[lane] < sequence <= counters.sent[lane]):
            return False
        counters.done[lane] = sequence
        count = len(counters.sent)
        if count > LANES and lane == count - 1 and sequence == counters.sent[lane]:
            self._forget()
        return True

    def _forget(self) -> None:
        """Let the extra lanes go that are idle, last first."""
        counters = self.counters
        sent, done = list(counters.sent), list(counters.done)
        count = len(sent)
        while count > LANES and sent[count - 1] == done[count - 1]:
            count -= 1
        for each in (counters.sent, counters.done, counters.asked, counters.leaving):
            del each[count:]

    def count(self, count: int) -> None:
        """Count requests that are routed here for the first time."""
        self.counters.requests += count

    def refuse(self, count: int) -> None:
        """Count requests for which no lane had room."""
        self.counters.refused += count
