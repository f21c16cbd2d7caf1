"""Records of customers who do not exist: some kinds of people, each with habits of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

KINDS = 12
FIELDS = 40
"""Spending by category, visits by hour, returns and so on, as numbers."""
HIDDEN = 6
"""So many things really tell customers apart; the fields are what one sees of them."""


@dataclass(frozen=True)
class Records:
    """A row for each customer, and of which kind each is."""

    rows: Floats
    kinds: npt.NDArray[np.int64]


def records(count: int, seed: int) -> Records:
    """So many customers; the kinds are the same for every seed."""
    world, rng = np.random.default_rng(7), np.random.default_rng(seed)
    middles = world.normal(0, 1.6, (KINDS, HIDDEN))
    seen = world.normal(0, 1, (HIDDEN, FIELDS)), world.normal(0, 1, (HIDDEN, FIELDS))
    kinds = rng.integers(0, KINDS, count)
    hidden = middles[kinds] + rng.normal(0, 0.45, (count, HIDDEN))
    rows = hidden @ seen[0] + 2 * np.tanh(hidden @ seen[1]) + rng.normal(0, 0.6, (count, FIELDS))
    return Records(rows.astype(np.float32), kinds)
