"""Holds every reply against what was asked, and counts what must not be."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from tests.chaos import stepped
from tests.chaos.claims import EXPIRED, KEPT_S, MISSING, REFUSALS, Open, Question, Rows, Seen, gives, position, same
from tests.chaos.lateness import Lateness
from tests.chaos.ledger import Ledger
from tests.chaos.timeline import Timeline
from tests.chaos.walks import Step, Walk

TURN = "turn"
"""Under this name the timeline has the shares of a model of sequences."""
RECENT_S = 30.0
"""So long the checker remembers when an id was answered: above what Redis may lose at once."""


@dataclass(slots=True)
class Counts:
    """Entries sent and replies seen for each number; a byte each, so that a long run fits."""

    entries: bytearray = field(default_factory=bytearray)
    replies: bytearray = field(default_factory=bytearray)

    def grow(self, number: int) -> None:
        """Make room for a number."""
        missing = number + 1 - len(self.entries)
        if missing > 0:
            self.entries.extend(bytes(missing + 4096))
            self.replies.extend(bytes(missing + 4096))


class Checker:
    """Told of everything that is sent and seen, by several threads; `ledger` is right once `finish` was called."""

    def __init__(self, timeline: Timeline) -> None:
        self.ledger = Ledger()
        self.timeline = timeline
        self._counts = Counts()
        self._open: dict[int, Open] = {}
        self._recent: deque[tuple[float, int]] = deque()
        self._entries: deque[tuple[tuple[int, int], int]] = deque(maxlen=100_000)
        self._excusable: set[int] = set()
        self._kept: deque[tuple[float, int, str]] = deque(maxlen=2000)
        self._forgotten = -math.inf
        self._sticky: dict[object, str] = {}
        self._walks: list[Walk] = []
        self._lock = threading.RLock()
        self.last_answer = math.nan
        self.longest_gap = 0.0
        self.lateness = Lateness()

    @property
    def waiting(self) -> int:
        """Ids that must still be answered."""
        with self._lock:
            return sum(1 for item in self._open.values() if not item.doubtful)

    @property
    def seen(self) -> int:
        """Replies so far, errors too."""
        return self.ledger.answered + self.ledger.errors.total()

    def step(self, walk: Walk, x: Rows, now: float, number: int = 0) -> Step:
        """The next step of a sequence; its first one makes the sequence known."""
        with self._lock:
            if not walk.done:
                self._walks = [*(each for each in self._walks if not each.over and each is not walk), walk]
            return walk.begin(x, now, number)

    def sent(self, question: Question) -> None:
        """An entry is about to be written; the same number again is a retry."""
        with self._lock:
            self.ledger.sent += 1
            self._counts.grow(question.number)
            self._counts.entries[question.number] += 1
            self._open.setdefault(question.number, Open([])).questions.append(question)

    def accepted(self, number: int, entry: str) -> None:
        """Redis acknowledged the last entry of this number."""
        with self._lock:
            self.ledger.accepted += 1
            self._entries.append((position(entry), number))

    def entries_after(self, entry: str) -> set[int]:
        """Numbers with an entry behind this one: acknowledged, and gone when this is the last one Redis has."""
        last = position(entry)
        with self._lock:
            return {number for at, number in self._entries if at > last}

    def not_taken(self, question: Question) -> None:
        """Redis said that it did not write an entry that asks this."""
        with self._lock:
            number = question.number
            self.ledger.refused_by_redis += 1
            self._counts.entries[number] -= 1
            item = self._open[number]
            item.questions.remove(question)
            item.refused += 1
            self._close_if_done(number, item)

    def doubtful(self, number: int) -> None:
        """Nobody knows whether the entry was written: an answer is right, none is no loss."""
        with self._lock:
            self.ledger.in_doubt += 1
            if number in self._open:
                self._open[number].doubtful = True

    def replied(self, seen: Seen) -> None:
        """A reply arrived at its caller."""
        with self._lock:
            number = seen.number
            if not 0 <= number < len(self._counts.entries) or not self._counts.entries[number]:
                self.ledger.wrong("strays", f"{seen}")
                return
            self._counts.replies[number] += 1
            item = self._open.get(number)
            if self._counts.replies[number] > self._counts.entries[number]:
                self._repeated(seen)
            if item is None or self._counts.replies[number] > self._counts.entries[number]:
                return  # settled before; Redis forgot that it was answered, or it is a duplicate
            self._judge(item, seen)
            self._recent.append((seen.at, number))
            while self._recent[0][0] < seen.at - RECENT_S:
                self._recent.popleft()
            self._close_if_done(number, item)

    def died(self, number: int, cause: str) -> None:
        """The entry lies among the dead letters. Its reply is counted by itself."""
        with self._lock:
            self.ledger.dead += 1
            item = self._open.get(number)
            if item is None:
                return
            if item.questions[0].silent:
                self._counts.replies[number] += 1
                self._close_if_done(number, item)
            if not item.questions[0].wanted:
                self.ledger.wrong("innocents_failed", f"{number} is a dead letter: {cause}")

    def redis_lost(self, since: float, until: float, gone: set[int]) -> None:
        """Redis lost what was written between the two times, as its persistence allows; `gone` were acknowledged."""
        with self._lock:
            self._forgotten = until
            for number in gone & self._open.keys():  # the job may have read it before it was lost, and answers it then
                self._open[number].doubtful = True
                self._excusable.add(number)
            for at, number in self._recent:
                if since <= at:
                    self._counts.entries[number] += 1
                    if number in self._open:
                        self._open[number].forget()
            lost = stepped.lost_steps(gone, since)
            for walk in self._walks:
                walk.redis_lost(until, lost)
            self._excusable |= {n for n, item in self._open.items() if item.questions[0].sent <= until}

    def kept(self, seconds: float) -> list[tuple[int, str]]:
        """Numbers whose result must lie in Redis, answered within the last seconds, and by which version."""
        with self._lock:
            since = time.monotonic() - seconds
            return [(number, version) for at, number, version in self._kept if at > max(since, self._forgotten)]

    def finish(self) -> Ledger:
        """Nothing comes any more: what is open is lost."""
        with self._lock:
            for number, item in self._open.items():
                if number in self._excusable:
                    self.ledger.gone_with_redis += 1
                elif not item.doubtful:
                    question = item.questions[0]
                    about = f"number {number} of {question.model}@{question.asked or '-'} sent at {question.sent:.3f}"
                    self.ledger.wrong("lost", about)
            return self.ledger

    def _close_if_done(self, number: int, item: Open) -> None:
        if item.questions and len(item.questions) + item.refused <= item.questions[0].more:
            return  # more will be sent under this id
        if self._counts.replies[number] >= self._counts.entries[number] or not item.questions:
            del self._open[number]

    def _repeated(self, seen: Seen) -> None:
        times = f"{self._counts.replies[seen.number]} replies to {self._counts.entries[seen.number]} entries"
        self.ledger.wrong("duplicated", f"number {seen.number}: {times}; {seen.error or 'ok'} at {seen.at:.3f}")

    def _judge(self, item: Open, seen: Seen) -> None:
        if not math.isnan(self.last_answer):
            self.longest_gap = max(self.longest_gap, seen.at - self.last_answer)
        self.last_answer = seen.at
        self.lateness.heard(seen.at, len(self._open))
        question = item.questions[0]
        self._judge_reply(item, question, seen)
        if question.change is not None:
            question.change.settle(seen.at, applied=not seen.error)
        if question.step is not None and question.step.state == "open":
            self._note_change(question.step, seen)
            question.step.walk.take(question.step, seen)
            stepped.count(question.step, seen, self.ledger)

    def _note_change(self, step: Step, seen: Seen) -> None:
        """Routes that change while a sequence is begun: which of them holds, a restored job decides once more."""
        if step.start and len(self.timeline.spans((step.walk.model, TURN), step.begun, seen.at)) > 1:
            step.walk.wavers = True

    def _judge_reply(self, item: Open, question: Question, seen: Seen) -> None:
        if seen.error:
            self.ledger.errors[seen.error] += 1
            if seen.error == "id_conflict" and len(item.questions) > 1:
                item.conflicts += 1
                self._judge_excess(item, seen)
            else:
                self._judge_error(question, seen)
            return
        self.ledger.answered += 1
        if not question.wanted:
            self._judge_answer(item, seen)
        elif "ok" not in question.wanted:
            self.ledger.wrong("poison_answered", f"{seen.number} wanted {set(question.wanted)}, got an answer")

    def _judge_error(self, question: Question, seen: Seen) -> None:
        told = f"number {question.number} of {question.model}@{question.asked or '-'}: {seen.error}: {seen.message}"
        if seen.error == EXPIRED:
            return
        if question.step is not None and stepped.judge_error(question, question.step, seen, self.ledger):
            return
        if question.wanted:
            if seen.error not in question.wanted | REFUSALS:
                self.ledger.wrong("poison_answered", f"wanted {set(question.wanted)}, {told}")
        elif seen.error in MISSING:
            if not self.timeline.may_be_missing((question.model, question.asked), question.sent, seen.at):
                self.ledger.wrong("denied", told)
        elif seen.error == "deadline_exceeded" and question.deadline:
            if late := self.lateness.late(question, seen.at):
                self.ledger.wrong("late", f"{told}, {late:.1f} s later than allowed")
        elif seen.error == "already_answered" and self._may_have_gone(question, seen):
            return
        elif seen.error not in REFUSALS:
            self.ledger.wrong("innocents_failed", told)

    def _may_have_gone(self, question: Question, seen: Seen) -> bool:
        """Whether this may be the second answer to an id, so late that the first one is not kept any more."""
        return self._counts.entries[question.number] > 1 and seen.at - question.sent >= KEPT_S

    def _judge_answer(self, item: Open, seen: Seen) -> None:
        """1. Two answers to one id are the same. 2. The version was asked for. 3. That version gives this answer."""
        if item.first is not None:
            if not (same(item.first.y, seen.y) and item.first.version == seen.version):
                self.ledger.wrong("conflicts_missed", f"number {seen.number}: {item.first} and {seen}")
            else:
                item.answers += 1
                self._judge_excess(item, seen)
            return
        question = next((each for each in item.questions if self._gives(each, seen)), item.questions[0])
        item.answered_by(question, seen)
        if question.kept:
            self._kept.append((seen.at, seen.number, seen.version))
        name = (question.model, question.asked)
        if seen.version not in self.timeline.may_mean(name, question.sent, seen.at):
            self.ledger.wrong("wrong_version", f"number {seen.number}: {name} answered by {seen.version!r}")
        right = self._gives(question, seen)
        if question.step is not None:
            stepped.judge_answer(question.step, seen, self.ledger, right=right)
        elif not right:
            self.ledger.wrong("wrong_value", f"{question} got {seen}")
        self._judge_stickiness(question, seen)

    def _gives(self, question: Question, seen: Seen) -> bool:
        """Whether the version stamped gives this answer to this question."""
        contents = self.timeline.may_mean((question.model, "=", seen.version), question.sent, seen.at)
        return any(gives(content, question, seen) for content in contents)

    def _judge_excess(self, item: Open, seen: Seen) -> None:
        if excess := item.excess:
            self.ledger.wrong("conflicts_missed", f"number {seen.number}: {excess}")

    def _judge_stickiness(self, question: Question, seen: Seen) -> None:
        """The same key falls on the same version while the routes stand still."""
        if not question.key or question.asked:
            return
        spans = self.timeline.spans((question.model, ""), question.sent, seen.at)
        if len(spans) != 1:
            return
        under = (question.model, question.key, spans[0].since)
        if self._sticky.setdefault(under, seen.version) != seen.version:
            self.ledger.wrong("wrong_version", f"key {under} fell on {self._sticky[under]} and {seen.version}")
