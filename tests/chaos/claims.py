"""What was asked and what came back, as the checker keeps it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
import numpy.typing as npt
from tests.chaos.timeline import Change
from tests.chaos.walks import Step

Rows = npt.NDArray[np.float32]

REFUSALS: Final = frozenset({"overloaded", "model_not_ready", "unavailable"})
"""Work that was never begun: the caller may try again."""

EXPIRED: Final = "(read too late)"
"""No code of the system: a reply was read when its parked output was gone, as outputs go after a minute."""

KEPT_S: Final = 120
"""Results asked to be kept are kept so long; a retry answered later is told `already_answered`."""

MISSING: Final = frozenset({"model_not_found", "version_not_found"})
"""An answer only while the name asked for may stand for nothing."""


@dataclass(frozen=True, slots=True)
class Content:
    """What one version computes, and by which it is known: whole numbers that no other version has."""

    kind: str  # line, or spread: each column less its largest
    a: int
    b: int

    def answer(self, x: Rows) -> tuple[Rows, Rows]:
        """Outputs y and s; whole numbers small enough that float32 holds them exactly."""
        base = x - x.max(axis=0, keepdims=True) if self.kind == "spread" else x
        return base * np.float32(self.a) + np.float32(self.b), x.sum(axis=1, keepdims=True)

    def then(self, other: Content) -> Content:
        """What a graph of both computes, the sum being the first one's; lines only."""
        return Content("line", self.a * other.a, self.b * other.a + other.b)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One entry that was sent, and no other that asks the same.

    `wanted` are the error codes it must end in, or ok; empty: it must be answered.
    """

    number: int
    model: str
    asked: str  # version or alias; empty: the routes decide
    key: str
    x: Rows
    sent: float
    deadline: float = 0.0  # epoch seconds; 0: none
    wanted: frozenset[str] = frozenset()
    kept: bool = False  # its result lies in Redis for a while
    silent: bool = False  # nobody can be told: it must lie among the dead letters
    more: int = 0  # so many entries with this id are still to be sent once this one is answered
    step: Step | None = None  # of a sequence: answered by what its steps add up to
    change: Change | None = None  # of what a name means, which the answer decides

    @property
    def digest(self) -> bytes:
        """Of what was sent: the same id with another one is a conflict."""
        return sha256(f"{self.model} {self.asked} {self.x.shape}".encode() + self.x.tobytes()).digest()


@dataclass(frozen=True, slots=True)
class Seen:
    """One reply as its caller saw it."""

    number: int
    at: float
    version: str = ""
    error: str = ""
    message: str = ""
    y: Rows | None = None
    s: Rows | None = None


@dataclass(slots=True)
class Open:
    """An id that is not settled: its entries, and the first answer to it."""

    questions: list[Question]
    refused: int = 0  # entries that Redis did not take
    doubtful: bool = False
    first: Seen | None = None
    winner: bytes = b""
    answers: int = 0
    conflicts: int = 0

    def answered_by(self, question: Question, seen: Seen) -> None:
        """The first answer: from now on the id stands for what was asked here."""
        self.first, self.winner, self.answers = seen, question.digest, 1

    def forget(self) -> None:
        """Redis forgot what was answered: any of the entries may be the first again."""
        self.first, self.winner, self.answers, self.conflicts = None, b"", 0, 0

    @property
    def excess(self) -> str:
        """What there is too much of: answers to another input than the id stands for, or conflicts with none."""
        if not self.answers and not self.conflicts:
            return ""
        digests = Counter(question.digest for question in self.questions)
        same_input = digests[self.winner] if self.winner else min(digests.values())
        if self.answers > same_input:
            return f"{self.answers} answers, {same_input} entries with that input"
        others = digests.total() - same_input
        return f"{self.conflicts} conflicts, {others} entries with another input" if self.conflicts > others else ""


def position(entry: str) -> tuple[int, int]:
    """A stream entry id as it is ordered."""
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence or 0)


def same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two outputs are equal; None equals None."""
    return (one is None and other is None) or (
        one is not None and other is not None and one.shape == other.shape and bool((one == other).all())
    )


def gives(content: Content, question: Question, seen: Seen) -> bool:
    """Whether a version of this content gives this answer to this question."""
    for x in question.step.totals() if question.step else (question.x,):
        y, s = content.answer(x)
        if same(y, seen.y) and same(s, seen.s):
            return True
    return False
