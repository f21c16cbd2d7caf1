"""Keeps asking at a steady rate, and tells the checker before and after."""

from __future__ import annotations

import math
import threading
import time

from tests.chaos.checker import Checker
from tests.chaos.claims import Question
from tests.chaos.door import Door
from tests.chaos.mix import Fields, Mix

BEAT_S = 0.02
BEHIND_S = 0.5  # what could not be sent for longer is not made up for: callers that wait ask no more


class Load(threading.Thread):
    """An open loop of `rate` requests a second, until told to stop."""

    def __init__(self, door: Door, mix: Mix, checker: Checker, rate: float, stream: str = "scurry:requests") -> None:
        super().__init__(daemon=True, name="load")
        self.rate = rate
        self._door, self._mix, self._checker, self._stream = door, mix, checker, stream
        self._stopping = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        """Send."""
        try:
            due = time.monotonic()
            while not self._stopping.wait(max(0.0, due - time.monotonic())):
                due = max(due + BEAT_S, time.monotonic() - BEHIND_S)
                self.send(max(1, round(self.rate * BEAT_S)))
            self._write(self._mix.due(math.inf))
        except Exception as failure:
            self.failure = failure

    def send(self, count: int) -> None:
        """Ask so many questions in one write."""
        drawn = [pair for _ in range(count) for pair in self._mix.draw()]
        self._write(drawn + self._mix.due(time.monotonic()))

    def _write(self, pairs: list[tuple[Question, Fields]]) -> None:
        for question, _ in pairs:
            self._checker.sent(question)
        written = self._door.write([(self._stream, fields) for _, fields in pairs])
        for (question, _), each in zip(pairs, written, strict=True):
            if each.entry:
                self._checker.accepted(question.number, each.entry)
            elif each.refusal:
                self._checker.not_taken(question)
            else:
                self._checker.doubtful(question.number)

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        self.join()
