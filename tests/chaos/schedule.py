"""Which fault comes when: a pure function of the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

TOGETHER = 0.3
"""So often a second fault comes within seconds of the first."""


@dataclass(frozen=True, slots=True)
class Due:
    """A fault and when it begins, in seconds from the start; `seed` decides what it leaves open."""

    at: float
    name: str
    seed: int


def schedule(seed: int, seconds: float, every: float, names: Sequence[str]) -> list[Due]:
    """Each fault once in an order drawn from the seed, then any; now and then two together."""
    draw = random.Random(seed)
    order = draw.sample(list(names), len(names))
    due: list[Due] = []
    at = every / 2
    while at < seconds:
        due.append(Due(at, order.pop() if order else draw.choice(names), draw.randrange(1 << 30)))
        if not order and draw.random() < TOGETHER:
            due.append(Due(at + draw.uniform(0, every / 2), draw.choice(names), draw.randrange(1 << 30)))
        at += every
    return sorted(due, key=lambda item: item.at)
