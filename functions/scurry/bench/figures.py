"""What a load run comes to, and whether its generator was in the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from scurry.bench.load import Tally

BUSY: Final = 0.85
"""Share of one core from which a generator of one thread is held to be at its end."""

LATE_MS: Final = 20.0
"""Sends or beats later than this at the 99th percentile: the generator did not get to run."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of the table."""

    door: str
    load: str
    models: int
    bytes: int
    seconds: float
    answered: int
    per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    errors: dict[str, int]
    lost: int
    strays: int
    generator_us: float
    generator_percent: float
    late_p99_ms: float
    started: float
    verdict: str

    @property
    def failed(self) -> int:
        """Everything that was not one good answer to one request."""
        return sum(self.errors.values()) + self.lost + self.strays

    def row(self) -> dict[str, Any]:
        """All figures by name, for JSON and for the table."""
        return asdict(self) | {"failed": self.failed}


def figures(tally: Tally, *, door: str, load: str, models: int, size: int) -> Figures:
    """The figures of one run."""
    latencies = np.frombuffer(tally.latencies, dtype=np.float64) * 1000 if tally.latencies else np.zeros(1)
    p50, p90, p99, most = (float(value) for value in np.percentile(latencies, (50, 90, 99, 100)))
    late = float(np.percentile(np.frombuffer(tally.late, dtype=np.float64), 99)) * 1000 if tally.late else 0.0
    share = tally.cpu / tally.seconds
    return Figures(
        door=door, load=load, models=models, bytes=size, seconds=tally.seconds, answered=tally.answered,
        per_second=tally.answered / tally.seconds, p50_ms=p50, p90_ms=p90, p99_ms=p99, max_ms=most,
        errors=dict(tally.errors), lost=tally.lost, strays=tally.strays,
        generator_us=tally.cpu / max(1, tally.answered) * 1e6, generator_percent=share * 100, late_p99_ms=late,
        started=tally.started,
        verdict=verdict(share, late),
    )  # fmt: skip


def verdict(share: float, late_ms: float) -> str:
    """One sentence when the generator stood in its own way, else nothing."""
    if share >= BUSY:
        return f"The generator itself is the bottleneck: it used {share:.0%} of a core, and it has one thread."
    if late_ms >= LATE_MS:
        return (
            f"The generator was kept waiting: 1 % of its sends were {late_ms:.0f} ms late or more; the cores are full."
        )
    return ""
