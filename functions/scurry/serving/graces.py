"""How long each process of a `scurry up` may take to end."""

from __future__ import annotations

from typing import Final

STAGES: Final = (("gateway", "bridge"), ("job",), ("functions", "worker"), ("redis",))
"""Who is stopped after whom: nobody before those that need him."""

DRAINS_S: Final = {"gateway": 10.0, "functions": 3.0, "worker": 3.0}
"""How long they finish what they have, told them as a flag. Once the job is gone, nobody waits for a worker any more;
what it had is asked again at the next start. In a container the defaults of `settings` hold."""

ENDS_S: Final = {"job": 6.0, "redis": 6.0, "bridge": 2.0}
"""What these take by themselves: the job cancels for 3 s and then ends Flink for 3 s; Redis writes what it has;
the bridge leaves what it has not carried over where it is."""

MARGIN_S: Final = 2.0
"""Between the end of its own patience and ours: within it a process says what it gave up, and leaves."""


def kind(name: str) -> str:
    """`worker-1` is a worker."""
    return name.partition("-")[0]


def patience(name: str) -> float:
    """Seconds from asking a process to end to killing it."""
    return (DRAINS_S | ENDS_S)[kind(name)] + MARGIN_S


def longest() -> float:
    """Seconds that a whole `scurry up` takes to end at most."""
    return sum(max(map(patience, stage)) for stage in STAGES)
