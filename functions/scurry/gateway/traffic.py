"""What callers asked a gateway and what they got, whichever door they came through."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from scurry.telemetry.prometheus import Figure, Histogram

log = logging.getLogger("scurry.access")

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Answers:
    """Requests of one door with the same status and code."""

    __slots__ = ("received", "seconds", "sent")

    def __init__(self) -> None:
        self.seconds = Histogram(SECONDS)
        self.received = self.sent = 0

    def __repr__(self) -> str:
        return f"<Answers {sum(self.seconds.counts)} requests>"


class Traffic:
    """Counts requests by door, status and code; with `access_log` each is a line of the log, too."""

    def __init__(self, *, access_log: bool = False) -> None:
        self.logs = access_log
        self._answers: dict[tuple[str, int, str], Answers] = {}

    def note(self, door: str, status: int, code: str, seconds: float, received: int, sent: int) -> None:
        """A request was answered: after so many seconds, its body and that of the answer so large."""
        answers = self._answers.get((door, status, code))
        if answers is None:
            answers = self._answers[door, status, code] = Answers()
        answers.seconds.note(seconds)
        answers.received += received
        answers.sent += sent

    def log(self, method: str, target: str, status: int, code: str, seconds: float, request: str, trace: str) -> None:
        """A request was answered: a line for it."""
        told = {"method": method, "target": target[:512], "status": status, "code": code, "ms": round(1e3 * seconds, 3)}
        named = {"request": request, "model": _model_of(target), "traceparent": trace}
        log.info("answered", extra=told | {name: value for name, value in named.items() if value})

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
