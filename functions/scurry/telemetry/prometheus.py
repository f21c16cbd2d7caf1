"""Figures as Prometheus reads them.

Whoever counts, counts in plain numbers; they become figures when somebody scrapes.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OTHER: Final = "other"
"""The model under which those stand that have no figures of their own."""

Labels = tuple[tuple[str, str], ...]
Kind = Literal["counter", "gauge", "histogram"]

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Figure(NamedTuple):
    """One number with its name, what kind it is and what it means; of a histogram, one of its lines."""

    name: str
    kind: Kind
    meaning: str
    value: float
    labels: Labels = ()
    suffix: str = ""


class Histogram:
    """How many values were no larger than each limit; the last place has all others."""

    __slots__ = ("counts", "limits", "total")

    def __init__(self, limits: Sequence[float]) -> None:
        self.limits = limits
        self.counts = [0] * (len(limits) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.limits, value)] += 1
        self.total += value

    def figures(self, name: str, meaning: str, labels: Labels = ()) -> Iterator[Figure]:
        """Its lines."""
        limits = [*(f"{limit:g}" for limit in self.limits), "+Inf"]
        return histogram(name, meaning, labels, limits=limits, counts=self.counts, total=self.total)

    def __repr__(self) -> str:
        return f"<Histogram of {sum(self.counts)} values>"


class Bounded:
    """Which models have figures of their own: those that came first, up to so many."""

    __slots__ = ("_most", "_named")

    def __init__(self, most: int) -> None:
        self._most = most
        self._named: set[str] = set()

    def label(self, model: str) -> str:
        """The model's own name, or that of all others."""
        if model not in self._named:
            if len(self._named) >= self._most:
                return OTHER
            self._named.add(model)
        return model

    def __repr__(self) -> str:
        return f"<Bounded {len(self._named)} of {self._most} models>"


def histogram(
    name: str, meaning: str, labels: Labels, *, limits: Sequence[str], counts: Sequence[int], total: float | None
) -> Iterator[Figure]:
    """A histogram's lines; its buckets add up, as Prometheus wants them."""
    for limit, count in zip(limits, accumulate(counts), strict=True):
        yield Figure(name, "histogram", meaning, count, (*labels, ("le", limit)), "_bucket")
    if total is not None:
        yield Figure(name, "histogram", meaning, total, labels, "_sum")
    yield Figure(name, "histogram", meaning, sum(counts), labels, "_count")


def page(figures: Iterable[Figure]) -> str:
    """The text of a scrape: all lines of one name together, what has one name and the same labels added up."""
    families: dict[str, tuple[Figure, dict[tuple[str, Labels], float]]] = {}
    for each in figures:
        values = families.setdefault(each.name, (each, {}))[1]
        line = each.suffix, each.labels
        values[line] = values.get(line, 0) + each.value
    return "".join(_family(*family) for family in families.values())


def _family(first: Figure, values: dict[tuple[str, Labels], float]) -> str:
    name = first.name
    lines = [f"# HELP {name} {first.meaning}", f"# TYPE {name} {first.kind}"]
    lines += [f"{name}{suffix}{_shown(labels)} {value:.15g}" for (suffix, labels), value in values.items()]
    return "\n".join(lines) + "\n"


def _shown(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels) + "}"
