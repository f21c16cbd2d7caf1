"""Whether a connection is alive, told by its oldest unanswered command.

A half-dead one takes commands and answers nothing; the kernel would wait for a quarter of an hour.
"""

from __future__ import annotations


class Pulse:
    """When bytes last moved either way."""

    def __init__(self, now: float) -> None:
        self._moved_at = now
        self._left = 0

    def heard(self, now: float) -> None:
        """Bytes have come."""
        self._moved_at = now

    def has_left(self, count: int, now: float) -> None:
        """So many bytes in all have left for the other side: a large upload moves as long as they grow."""
        if count > self._left:
            self._left, self._moved_at = count, now

    def is_gone(self, sent_at: float, patience: float, now: float) -> bool:
        """Whether the answer to the oldest command is overdue, and nothing has moved since."""
        return now - max(sent_at, self._moved_at) > patience

    def __repr__(self) -> str:
        return f"<Pulse at {self._moved_at:.1f}, {self._left} bytes left>"
