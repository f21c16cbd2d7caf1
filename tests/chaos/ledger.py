"""The ledger: what must be zero, what is only told, and the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

MUST_BE_ZERO: Final = {
    "lost": "accepted, never answered nor dead-lettered",
    "duplicated": "answered more often than it was sent",
    "wrong_value": "an answer that no version of the model gives to this input",
    "wrong_version": "answered by a version that the request did not ask for",
    "steps_wrong": "an answer to a step that is not what its sequence adds up to, each step once",
    "sequences_lost": "a step not found whose sequence was begun, and not idle for too long",
    "denied": "not found, though registered all the while",
    "innocents_failed": "an error of the system on a request that is sound",
    "poison_answered": "answered ok, or with another code than it deserves",
    "late": "a deadline told more than a second after it, while others were answered all the time",
    "conflicts_missed": "two answers, or one to another input, under one id",
    "strays": "a reply to an id that nobody sent",
    "results_differ": "the kept result is not what the caller was told",
    "counters_off": "a count that does not come to what was sent",
    "records_off": "the registry holds another record than was made",
    "door_broke": "bytes at the gateway that it answered with no 4xx, or that ended it",
    "left_behind": "a process that outlived its supervisor",
    "not_back": "a process that was not back in time",
    "worker_restarts": "job restarts caused by a worker",
    "foreign_touched": "a key of somebody else that was changed or deleted",
    "redis_broke": "writes that Redis lost though it had promised them",
}
"""Each figure that ends a run with status 1, and what it counts."""

EXAMPLES: Final = 5


@dataclass(slots=True)
class Ledger:
    """Figures of one run. Details of what must be zero are kept, a few of each."""

    sent: int = 0
    accepted: int = 0
    in_doubt: int = 0
    refused_by_redis: int = 0
    answered: int = 0
    dead: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    gone_with_redis: int = 0
    told: dict[str, str] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrongs: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def wrong(self, figure: str, detail: str, count: int = 1) -> None:
        """Count something that must not be."""
        if figure not in MUST_BE_ZERO:
            raise LookupError(f"no figure {figure!r}")
        self.wrongs[figure] += count
        details = self.examples.setdefault(figure, [])
        if len(details) < EXAMPLES:
            details.append(detail)

    @property
    def holds(self) -> bool:
        """Whether every promise was kept, and anything was asked at all."""
        return self.answered > 0 and not +self.wrongs

    def lines(self) -> list[str]:
        """The table."""
        figures: list[tuple[str, object]] = [
            ("sent", self.sent),
            ("accepted by Redis", self.accepted),
            ("in doubt (connection cut while sending)", self.in_doubt),
            ("not taken by Redis (full, stopped)", self.refused_by_redis),
            ("answered", self.answered),
            *((f"error {code}", count) for code, count in sorted(self.errors.items())),
            ("dead letters", self.dead),
            ("gone with Redis' own log, as promised", self.gone_with_redis),
            *sorted(self.steps.items()),
            *((f"fault {name}", count) for name, count in sorted(self.faults.items())),
            *self.told.items(),
        ]
        table = [f"  {name:<42} {value!s:>12}" for name, value in figures]
        zeros = [f"  {name:<18} {self.wrongs[name]:>6}  {what}" for name, what in MUST_BE_ZERO.items()]
        details = [f"    {name}: {line}" for name, lines in self.examples.items() for line in lines]
        return ["ledger", *table, "must be zero", *zeros, *details, "HOLDS" if self.holds else "BROKEN"]
