"""Loads that failed a moment ago.

Many requests for a broken model do not open it once for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scurry.wire.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable

    from scurry.inference.stock import Place
    from scurry.wire.errors import ScurryError

SECONDS: Final = 2.0
"""How long a failure stands for the next try."""


class Failures:
    """Failures by place, each for a moment."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: dict[Place, tuple[float, ScurryError]] = {}

    def note(self, place: Place, failure: ScurryError) -> None:
        """Remember a failure; what is older than a moment goes."""
        now = self._clock()
        self._recent.pop(place, None)  # they stand in the order in which they pass
        while self._recent and next(iter(self._recent.values()))[0] <= now:
            del self._recent[next(iter(self._recent))]
        self._recent[place] = (now + SECONDS, failure.kept())

    def forget(self, place: Place) -> None:
        """Let the next try be one."""
        self._recent.pop(place, None)

    def raise_recent(self, place: Place) -> None:
        """Raise what failed here a moment ago, if anything did."""
        until, failure = self._recent.get(place, (0.0, None))
        if failure is not None and self._clock() < until:
            raise error(failure.code, failure.message)

    def __repr__(self) -> str:
        return f"<Failures at {len(self._recent)} places>"
