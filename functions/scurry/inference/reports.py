"""How long a lane kept the worker busy since its last report.

Most calls are not asked for one: what they took is added up until one is.
"""

from __future__ import annotations

from typing import Final

LANES: Final = 65_536
"""Lanes that are remembered; a worker that serves more begins anew."""


class Reports:
    """Seconds and requests by lane."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[float, int]] = {}

    def add(self, lane: str, seconds: float, requests: int) -> None:
        """Note what a call took."""
        before = self._since.get(lane)
        if before is not None:
            seconds, requests = seconds + before[0], requests + before[1]
        elif len(self._since) >= LANES:
            self._since.clear()
        self._since[lane] = (seconds, requests)

    def take(self, lane: str) -> tuple[int, int]:
        """Microseconds and requests since this was asked last."""
        seconds, requests = self._since.pop(lane, (0.0, 0))
        return int(seconds * 1e6), requests

    def __repr__(self) -> str:
        return f"<Reports of {len(self._since)} lanes>"
