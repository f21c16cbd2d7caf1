"""How many requests a version may hold at once."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.router import policy
from scurry.wire.messages_pb2 import LaneCounters, VersionRoute
from scurry.wire.names import LANES, MOST_LANES


class Room:
    """The bound of one version, by what it was told or by the time its requests take."""

    __slots__ = (
        "_bound", "_counters", "_few", "_max_batch_size", "_queue_ms", "_told", "call", "cap", "first", "most",
        "report_every",
    )  # fmt: skip

    def __init__(self, route: VersionRoute, counters: LaneCounters, max_batch_size: int) -> None:
        self._counters = counters
        self._told = route.max_queue_size
        self._queue_ms = policy.QUEUE_MS
        self._max_batch_size = max_batch_size
        told = min(max(route.lanes, 0), MOST_LANES)
        self.first = told or LANES  # lanes that share the requests
        self.most = told or MOST_LANES  # with those that take what overflows
        self.cap = max(policy.lane_cap(max_batch_size), -(-self._told // self.most))  # of one lane
        self._rebound()

    def _rebound(self) -> None:
        micros = self._counters.service_micros
        self._bound = policy.queue_bound(self._told, micros, self._queue_ms, self.cap, first=self.first, most=self.most)
        self._few = policy.few(self._max_batch_size, micros)  # that may wait for each other
        every = max(1, policy.within(policy.REPORT_MICROS, policy.REPORT_EVERY, micros))
        self.call = max(self._max_batch_size, every)  # requests that one model call is reckoned to take
        self.report_every = min(every, max(1, self._few))  # else what is done looks like too much to wait for

    @property
    def bound(self) -> int:
        """Requests that may be outstanding on all lanes together."""
        return self._bound

    def keep_to(self, queue_ms: int) -> int:
        """The bound, if no request is to wait longer for its turn than this."""
        if queue_ms != self._queue_ms:
            self._queue_ms = queue_ms
            self._rebound()
        return self._bound

    def spread(self, outstanding: Sequence[int], count: int) -> list[tuple[int, int]]:
        """How many of so many requests go to which lane."""
        size, few = self._max_batch_size, self._few
        return policy.spread(outstanding, count, size, self.cap, few, first=self.first, most=self.most)

    def measure(self, busy_micros: int, requests: int) -> None:
        """A report says how long requests take."""
        self._counters.service_micros = policy.smoothed(self._counters.service_micros, busy_micros, requests)
        self._rebound()

    def __repr__(self) -> str:
        return f"<Room for {self._bound}, {self.cap} to a lane>"
