"""Preferred sizes of batches, and filling up to them.

Triton's `preferred_batch_size` says for which numbers of rows an engine is at its best. What waits is cut into the
largest of them that it fills; what is left over goes as it is or, with `batch_padding`, filled up to the next size
with copies of its last row, whose outputs nobody sees. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class BatchSizes:
    """How many rows a model call may have at most, likes to have and, filled up, has."""

    __slots__ = ("_padded", "limit", "preferred")

    def __init__(self, limit: int, preferred: Sequence[int] = (), *, padded: bool = False) -> None:
        self.limit = limit
        self.preferred = tuple(sorted({size for size in preferred if 0 < size <= limit}))
        self._padded = padded and limit > 1

    def target(self, waiting: int) -> int:
        """Rows that the next call takes of those waiting: the largest preferred size that they fill, else all."""
        fitting = [size for size in self.preferred if size <= waiting]
        return fitting[-1] if fitting else min(waiting, self.limit)

    def filled(self, rows: int) -> int:
        """Rows that a call of so many is run with."""
        if not self._padded or not 0 < rows < self.limit:
            return rows
        return next((size for size in self.preferred if size >= rows), self.limit)

    def fills(self, rows: int) -> bool:
        """Whether a call of so many rows is run with more."""
        return self._padded and self.filled(rows) != rows

    def cut(self, rows: Sequence[int]) -> list[int]:
        """How many of these requests, of so many rows each and none above the limit, go together; in their order."""
        counts: list[int] = []
        at, waiting = 0, sum(rows)
        while at < len(rows):
            target, taken, count = self.target(waiting), 0, 0
            while at < len(rows) and (not count or taken + rows[at] <= target):
                taken, count, at = taken + rows[at], count + 1, at + 1
            counts.append(count)
            waiting -= taken
        return counts

    def __repr__(self) -> str:
        liked = f", {'filled to' if self._padded else 'preferred'} {list(self.preferred)}" if self.preferred else ""
        return f"<BatchSizes up to {self.limit}{liked}>"
