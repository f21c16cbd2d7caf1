"""Sequences as their callers know them: what each must add up to, and what may have become of it. Pure.

A model of sequences adds up what its steps bring, so that an answer proves which steps its state has seen, each once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from tests.chaos.claims import Rows, Seen

GONE_ON: Final = "the sequence has gone on with the step"
HUNG: Final = "did not come back within"
UNKNOWN: Final = "sequence_not_found"
AGAIN: Final = frozenset({"overloaded", "model_not_ready", "unavailable", "deadline_exceeded"})
"""Told of work that was never begun, or by a door that waits no longer: the step is asked again."""
DOUBT_S: Final = 120.0
"""So long after Redis lost a step a job that goes back to a checkpoint may meet a stream without it."""


@dataclass(slots=True, eq=False)
class Try:
    """One entry that asks a step: when it came into the stream, at the earliest and the latest. Epoch seconds."""

    low: float
    high: float = math.inf

    def came(self, entry: str) -> None:
        """Redis took it, and says when."""
        self.low = self.high = int(entry.partition("-")[0]) / 1000


@dataclass(slots=True)
class Doubt:
    """Steps that Redis lost after they were answered: by how much a state may fall short, the newest steps first."""

    until: float
    short: list[Rows]
    first: int  # the oldest step it may lack

    def lack(self, step: Step) -> None:
        """An older step may be missing as well."""
        self.short.append(self.short[-1] + step.x)
        self.first = min(self.first, step.at)


@dataclass(slots=True, eq=False)
class Step:
    """One step: what it brings, and all that was done to get it answered."""

    walk: Walk
    at: int
    x: Rows
    end: bool
    number: int = 0  # of its entries; 0: those are made by a gateway, each under a number of its own
    tries: list[Try] = field(default_factory=list)
    state: str = "open"  # answered, gone on (its answer is not known), failed
    told: str = ""  # the last code that says: ask again
    shaken: bool = False  # Redis lost something while it was open
    lost_tries: int = 0  # so many of its tries may be gone
    begun: float = 0.0
    answered: float = math.inf
    may_be: list[Rows] = field(default_factory=list)

    @property
    def start(self) -> bool:
        """Whether it begins its sequence."""
        return self.at == 0

    def totals(self) -> list[Rows]:
        """What the sequence may have come to with this step."""
        return self.may_be or [total + self.x for total in self.walk.may_be()]

    def asked(self, now: float) -> Try:
        """It is about to be asked."""
        self.tries.append(Try(now))
        self.told = ""
        return self.tries[-1]

    @property
    def idle(self) -> tuple[float, float]:
        """How long the sequence was idle before it, at least and at most."""
        before = self.walk.done[-1] if self.walk.done else None
        if before is None or not self.tries:
            return 0.0, 0.0
        early, late = (min(each.low for each in one.tries) for one in (before, self))
        return late - max(each.high for each in before.tries), max(each.high for each in self.tries) - early

    def may_be_unknown(self) -> bool:
        """Whether `sequence_not_found` is an answer to it that the contract has."""
        if self.start:
            return False
        if self.end and self.shaken and len(self.tries) > 1:
            return True  # it ended its sequence before, and Redis lost what it was answered
        doubts = self.walk.doubts
        return self.idle[1] > self.walk.idle_s or any(doubt.first == 0 for doubt in doubts) or (
            bool(doubts) and math.isfinite(self.walk.idle_s)
        )  # fmt: skip

    def must_be_unknown(self) -> bool:
        """Whether its sequence was idle for too long, whichever of its entries were read."""
        return not self.start and self.idle[0] > self.walk.idle_s


@dataclass(slots=True, eq=False)
class Walk:
    """One sequence, stepped by one caller."""

    model: str
    asked: str
    name: str | int
    length: int
    width: int
    idle_s: float = math.inf
    version: str = ""
    wavers: bool = False  # a restored job may begin it with another version: its routes were changing, or Redis lost it
    total: Rows = field(init=False)
    done: list[Step] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    over: bool = False
    step: Step | None = None

    def __post_init__(self) -> None:
        self.total = np.zeros((1, self.width), np.float32)

    def begin(self, x: Rows, now: float, number: int = 0) -> Step:
        """The next step, whose caller has x."""
        self.doubts = [doubt for doubt in self.doubts if doubt.until > now and len(doubt.short) > 1]
        at = len(self.done)
        self.step = Step(self, at, x, end=at + 1 >= self.length, number=number, begun=now)
        return self.step

    def may_be(self) -> list[Rows]:
        """What it may have come to so far."""
        return [self.total - sum(lacking) for lacking in self._lacking()]

    def _lacking(self) -> Iterator[tuple[Rows, ...]]:
        yield from itertools.product(*(doubt.short for doubt in self.doubts))

    def take(self, step: Step, seen: Seen) -> None:
        """An answer to its open step: the state goes on, or not."""
        if step.state != "open":
            return
        if not seen.error:
            step.may_be = step.totals()
            self._believe(step, seen)
            self.version = self.version or seen.version
            self._go_on(step, seen.at, "answered")
        elif GONE_ON in seen.message or seen.error in ("already_answered", "(read too late)"):
            self._go_on(step, seen.at, "gone on")
        elif seen.error in AGAIN and HUNG not in seen.message:
            step.told = seen.error
        elif HUNG in seen.message:
            step.state, self.step = "failed", None  # its sequence is as it was, and its id is used up
        else:
            step.state, self.over = "failed", True

    def _go_on(self, step: Step, at: float, state: str) -> None:
        step.state, step.answered, self.step = state, at, None
        step.tries = step.tries or [Try(0.0)]
        self.total = self.total + step.x
        self.done.append(step)
        if step.lost_tries and len(step.tries) <= step.lost_tries:
            self.doubts.append(Doubt(at + DOUBT_S, [np.zeros_like(step.x), step.x], step.at))
        self.over = self.over or step.end

    def _believe(self, step: Step, seen: Seen) -> None:
        """Of what was possible the answer says which it is: what is known to be missing stays so."""
        for lacking in self._lacking():
            total = self.total - sum(lacking)
            if seen.s is not None and float((total + step.x).sum()) == float(seen.s.sum()):
                for doubt, short in zip(self.doubts, lacking, strict=True):
                    at = next(at for at, each in enumerate(doubt.short) if each is short)
                    doubt.short = [each - short for each in doubt.short[at:]]
                self.total = total
                return

    def redis_lost(self, until: float, lost: Callable[[Step], bool]) -> None:
        """Redis lost what was written last before then; `lost` tells which steps may be among it."""
        self.wavers = True
        if self.step is not None:
            self.step.shaken = True
            if lost(self.step):
                self.step.lost_tries = len(self.step.tries)
        behind = list(itertools.takewhile(lost, reversed(self.done)))
        if behind:
            doubt = Doubt(until + DOUBT_S, [np.zeros_like(self.total)], len(self.done))
            for step in behind:
                doubt.lack(step)
            self.doubts.append(doubt)
