"""One version's lanes, and what is outstanding on each."""

from __future__ import annotations

from operator import sub

from scurry.router import policy
from scurry.router.room import Room
from scurry.wire.messages_pb2 import LaneCounters, Requests, VersionRoute
from scurry.wire.names import LANES


class Lanes:
    """One version's route with the counters of its lanes."""

    __slots__ = (
        "counters", "draining", "function", "max_batch_size", "room", "route", "stamp", "version", "watched", "weight"
    )  # fmt: skip

    def __init__(self, route: VersionRoute, counters: LaneCounters) -> None:
        self.route = route
        self.counters = counters
        self.version = route.version
        self.function = route.function  # a user's own, or empty
        self.draining = route.draining
        self.watched = route.tell_every > 0  # it is rolled out
        self.weight = 0 if self.draining else route.weight
        self.max_batch_size = route.spec.max_batch_size or policy.DEFAULT_BATCH
        self.room = Room(route, counters, self.max_batch_size)
        self.stamp = Requests(spec=route.spec, version=route.version).SerializeToString()  # the same on every message

    @property
    def outstanding(self) -> list[int]:
        """Requests sent and not known to be finished, per lane."""
        return list(map(sub, self.counters.sent, self.counters.done))

    @property
    def emptiest(self) -> int:
        """The lane with least outstanding."""
        outstanding = self.outstanding
        return outstanding.index(min(outstanding))

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
        while lane >= len(counters.sent):
            counters.sent.append(0)
            counters.done.append(0)
            counters.asked.append(0)
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
        while len(counters.sent) > LANES and counters.sent[-1] == counters.done[-1]:
            del counters.sent[-1], counters.done[-1], counters.asked[-1]
            del counters.leaving[len(counters.sent) :]
        return True

    def count(self, count: int) -> None:
        """Count requests that are routed here for the first time."""
        self.counters.requests += count

    def refuse(self, count: int) -> None:
        """Count requests for which no lane had room."""
        self.counters.refused += count

    def unasked(self) -> list[tuple[int, int]]:
        """(lane, sequence) of the lanes that owe a report and were not asked for it; they count as asked now."""
        counters, flush = self.counters, []
        for lane, sent in enumerate(counters.sent):
            if counters.done[lane] < sent and counters.asked[lane] < sent:
                counters.asked[lane] = sent
                flush.append((lane, sent))
        return flush
