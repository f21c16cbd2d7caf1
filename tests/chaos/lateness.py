"""Whether a deadline was told in time: whoever is dead, at most a second after it.

While nobody is answered at all, as when Redis or Java is away, and while what gathered meanwhile is read, nobody can
be told in time; such answers are not judged.
"""

from __future__ import annotations

import math
import time

from tests.chaos.claims import Question

ALLOWED_S = 1.0
GAP_S = 0.5
"""A system in use that answers nobody for so long is away."""
CATCHING_UP_S = 30.0
"""So long after a gap what gathered in it may still be waiting to be read."""


class Lateness:
    """Notes when answers came, and holds deadlines against them."""

    def __init__(self) -> None:
        self._last = self._gap = -math.inf  # when the last answer came; when the last gap ended
        self.judged = 0
        self.latest = 0.0

    def heard(self, at: float) -> None:
        """Somebody was answered."""
        if at - self._last > GAP_S:
            self._gap = at
        self._last = max(self._last, at)

    def late(self, question: Question, at: float) -> float:
        """Seconds above what is allowed by which the news came late; 0 when in time, or when nobody can say."""
        if question.sent < self._gap + CATCHING_UP_S:
            return 0.0
        self.judged += 1
        seconds = at + time.time() - time.monotonic() - question.deadline
        self.latest = max(self.latest, seconds)
        return max(0.0, seconds - ALLOWED_S)
