"""Requests by the version and the level that they go to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping

from scurry.router.admission import level_of, stamp_of
from scurry.router.answers import LATE
from scurry.router.lanes import Lanes
from scurry.router.policy import Refusal
from scurry.wire.messages_pb2 import Request

Way = tuple[str, int]
"""Version and level."""


class Ways:
    """Requests sorted; `refused` are those that go nowhere, `touched` tells whether one is not as it came."""

    __slots__ = ("_full_at", "_late", "_now", "refused", "sorted", "touched")

    def __init__(self, full_at: MutableMapping[str, int], now: int, late: Callable[[Request], bool]) -> None:
        self.sorted: dict[Way, list[Request]] = {}
        self.refused: list[tuple[Request, Refusal]] = []
        self.touched = False
        self._full_at, self._now, self._late = full_at, now, late

    def sort(self, requests: Iterable[Request], choose: Callable[[Request], Lanes | Refusal]) -> None:
        """Give each request its way, once it was held to what holds for its version."""
        for request in requests:
            choice = choose(request)
            refusal = choice if isinstance(choice, Refusal) else self._hold_to(request, choice)
            if refusal is not None:
                self.refused.append((request, refusal))
            elif isinstance(choice, Lanes):
                self.sorted.setdefault((choice.version, level_of(request, choice.admission)), []).append(request)

    def _hold_to(self, request: Request, lanes: Lanes) -> Refusal | None:
        """Give it its deadline, and take its token; why it is refused, if it is."""
        rules = lanes.admission
        if rules is None:
            return None
        stamp = stamp_of(request.entry, self._now)
        deadline = rules.deadline(request, stamp)
        if deadline != request.deadline:
            request.deadline, self.touched = deadline, True
        return LATE if self._late(request) else rules.take(request, stamp, self._full_at)

    def __repr__(self) -> str:
        return f"<Ways {', '.join(f'{way}: {len(some)}' for way, some in self.sorted.items())}>"
