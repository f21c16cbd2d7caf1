"""Requests by the version and the level that they go to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping

from scurry.router.admission import level_of
from scurry.router.answers import LATE
from scurry.router.lanes import Lanes
from scurry.router.policy import Refusal
from scurry.wire.messages_pb2 import Request

Way = tuple[str, int]
"""Version and level."""


class Ways:
    """Requests sorted; `refused` are those that go nowhere, `touched` tells whether one is not as it came."""

    __slots__ = ("_full_at", "_now", "refused", "sorted", "touched")

    def __init__(self, full_at: MutableMapping[str, int], now: int) -> None:
        self.sorted: dict[Way, list[Request]] = {}
        self.refused: list[tuple[Request, Refusal]] = []
        self.touched = False
        self._full_at, self._now = full_at, now

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
        if lanes.admission is None:
            return None
        before = request.deadline
        refusal = lanes.admission.hold_to(request, self._full_at, self._now)
        self.touched |= request.deadline != before
        return LATE if refusal is None and 0 < request.deadline <= self._now else refusal

    def __repr__(self) -> str:
        return f"<Ways {', '.join(f'{way}: {len(some)}' for way, some in self.sorted.items())}>"
