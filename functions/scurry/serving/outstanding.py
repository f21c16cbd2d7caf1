"""What a bridge has moved for one model and nobody has answered yet.

Bulk is one row for all models: with so much of one model in it at most, a slow model's backlog waits in its own stream,
and not before the others. Pure.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 256
"""A quarter of what the job takes in of bulk at a time."""
STILL_S: Final = 30.0
"""Where nothing was answered for so long, counting starts anew: a counter may have been lost."""


class Outstanding:
    """Counts by the job's own counter of answers, which others' answers for the model move as well."""

    __slots__ = ("_answered", "_base", "_moved", "_since")

    def __init__(self, now: float) -> None:
        self._moved, self._base, self._answered, self._since = 0, -1, -1, now

    def note(self, moved: int, answered: int, now: float) -> None:
        """So many were moved now, and so many answers there were ever."""
        if answered != self._answered:
            self._since = now
        if answered < self._answered or self._base < 0 or (now - self._since > STILL_S and not moved):
            self._moved, self._base, self._since = 0, answered, now
        self._answered = answered
        self._moved = max(self._moved + moved, answered - self._base)

    @property
    def room(self) -> int:
        """So many more may be moved."""
        return max(0, MOST - (self._moved - (self._answered - self._base)))

    def __repr__(self) -> str:
        return f"<Outstanding {MOST - self.room} of {MOST}>"
