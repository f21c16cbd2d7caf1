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
CAUGHT_UP = 400
"""With fewer open, what gathered in a gap has been read: below half a second of the load."""


class Lateness:
    """Notes when answers came, and holds deadlines against them."""

    def __init__(self) -> None:
        self._last = -math.inf  # when the last answer came
        self._clear = math.inf  # since when nothing waits that gathered in a gap; infinity while something does
        self.judged = 0
        self.latest = 0.0

    def heard(self, at: float, waiting: int) -> None:
        """Somebody was answered, and so many still wait."""
        if at - self._last > GAP_S:
            self._clear = math.inf
        if waiting < CAUGHT_UP:
            self._clear = min(self._clear, at)
        self._last = max(self._last, at)

    def late(self, question: Question, at: float) -> float:
        """Seconds above what is allowed by which the news came late; 0 when in time, or when nobody can say."""
        if question.sent < self._clear:
            return 0.0
        self.judged += 1
        seconds = at + time.time() - time.monotonic() - question.deadline
        self.latest = max(self.latest, seconds)
        return max(0.0, seconds - ALLOWED_S)
