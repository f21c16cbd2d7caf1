"""What callers asked a gateway and what they got, at every door."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final, NamedTuple

from scurry.telemetry.prometheus import Figure, Histogram

log = logging.getLogger("scurry.access")

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
LONGEST: Final = 128
"""Characters of a model's name that are logged, whatever a caller sends as one."""


class Answers:
    """Requests of one door with the same status and code."""

    __slots__ = ("received", "seconds", "sent")

    def __init__(self) -> None:
        self.seconds = Histogram(SECONDS)
        self.received = self.sent = 0

    def __repr__(self) -> str:
        return f"<Answers {sum(self.seconds.counts)} requests>"


class Answered(NamedTuple):
    """One request and what became of it; bytes are those of the bodies, or of gRPC's messages."""

    door: str
    status: int | str  # HTTP's number, or gRPC's name
    code: str
    seconds: float
    received: int
    sent: int


class Traffic:
    """Counts requests by door, status and code; with `access_log` each is a line of the log, too."""

    def __init__(self, *, access_log: bool = False) -> None:
        self.logs = access_log
        self._answers: dict[tuple[str, int | str, str], Answers] = {}

    def note(self, told: Answered) -> None:
        """A request was answered."""
        key = told[:3]
        answers = self._answers.get(key)
        if answers is None:
            answers = self._answers[key] = Answers()
        answers.seconds.note(told.seconds)
        answers.received += told.received
        answers.sent += told.sent

    def log(
        self, told: Answered, method: str, target: str, *, request: str = "", traceparent: str = "", model: str = ""
    ) -> None:
        """A request was answered: a line for it. Without a model, it is the one that the target names."""
        line = {"method": method, "target": target[:512], "status": told.status, "code": told.code}
        named = {"request": request, "model": model[:LONGEST] or _model_of(target), "traceparent": traceparent}
        more = {name: value for name, value in named.items() if value}
        log.info("answered", extra={**line, "ms": round(1000 * told.seconds, 3), **more})

    def figures(self) -> Iterator[Figure]:
        """All of it, by door, status and code."""
        for (door, status, code), answers in self._answers.items():
            labels = (("door", door), ("status", str(status)), ("code", code))
            meaning = "From a request's last byte until its answer was written"
            yield from answers.seconds.figures("scurry_gateway_request_seconds", meaning, labels)
            yield Figure(
                "scurry_gateway_received_bytes_total", "counter", "Bytes of bodies that came", answers.received, labels
            )
            yield Figure(
                "scurry_gateway_sent_bytes_total", "counter", "Bytes of bodies that were sent", answers.sent, labels
            )

    def __repr__(self) -> str:
        return f"<Traffic {sum(sum(each.seconds.counts) for each in self._answers.values())} requests>"


def _model_of(target: str) -> str:
    """The model that a path names."""
    parts = target.partition("?")[0].split("/")
    return parts[parts.index("models") + 1].partition(":")[0] if "models" in parts[:-1] else ""
