"""What a load takes of each part, fitted to measurements.

A part that sees R requests a second of M models takes

    idle + R · (request + call / (1 + R/M · gather) + read / (1 + R · pile))

cores (or bytes a second). `request` is what each request costs, `call` what a call costs that it does not share with
others of its model, `read` what a read or write costs that it does not share with anybody: requests that come within
`gather` and `pile` seconds of each other share. The two times are those of all parts together, the other four numbers
are each part's own and never negative.

k processes of a part have 1/k of requests and models each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import Any

import numpy as np
from scipy.optimize import nnls

TIMES_S = tuple(float(each) for each in np.geomspace(1e-4, 1.0, 25))
BUSY = 0.7
"""Cores that a process of one thread is loaded with at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement: requests a second, models they are for, what each part took (cores or bytes a second)."""

    per_second: float
    models: int
    takes: Mapping[str, float]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Point:
        """From a row of the measurements."""
        return cls(row["per_second"], row["models"], row["takes"])


def shares(per_second: float, models: int, gather: float, pile: float) -> list[float]:
    """What idle, request, call and read are multiplied by."""
    alone = per_second / (1 + per_second / models * gather)
    return [1.0, per_second, alone, per_second / (1 + per_second * pile)]


@dataclass(frozen=True, slots=True)
class CostModel:
    """Fitted costs: seconds, and (idle, request, call, read) of each part."""

    gather: float
    pile: float
    costs: Mapping[str, tuple[float, ...]]
    fastest: float = float("inf")  # requests a second, the most that was measured

    def takes(self, part: str, per_second: float, models: int) -> float:
        """Cores or bytes a second of one process with that load."""
        return float(np.dot(shares(per_second, models, self.gather, self.pile), self.costs[part]))

    def processes(self, part: str, per_second: float, models: int, most: float = BUSY) -> int:
        """Into how many a part must be divided so that none takes more; 0 when no number is enough.

        Nor is one given more requests than were measured: what sharing saves beyond that, nobody has seen.
        """
        count = max(1, ceil(per_second / self.fastest))
        while self.takes(part, per_second / count, max(1, models // count)) > most:
            if count > per_second:
                return 0
            count += max(1, count // 20)
        return count

    def worst(self, points: Sequence[Point]) -> float:
        """The largest deviation from measurements, of 1."""
        return max(
            abs(self.takes(part, point.per_second, point.models) / point.takes[part] - 1)
            for point in points
            for part in self.costs
        )


def fit(points: Sequence[Point], parts: Sequence[str]) -> CostModel:
    """The model with the least relative squares over all points and parts."""
    found: tuple[float, CostModel] | None = None
    for gather, pile in product(TIMES_S, TIMES_S):
        rows = np.array([shares(point.per_second, point.models, gather, pile) for point in points])
        costs, error = {}, 0.0
        for part in parts:
            taken = np.array([point.takes[part] for point in points])
            scale = np.abs(rows / taken[:, None]).max(axis=0)  # numbers of like size, for the solver
            solved, off = nnls(rows / taken[:, None] / scale, np.ones(len(points)))
            costs[part] = tuple(float(each) for each in solved / scale)
            error += off * off
        if found is None or error < found[0]:
            found = error, CostModel(gather, pile, costs, max(point.per_second for point in points))
    assert found is not None
    return found[1]
