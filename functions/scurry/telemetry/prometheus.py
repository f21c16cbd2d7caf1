"""Figures as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Figure(NamedTuple):
    """One number with its name, what kind it is and what it means."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    value: float


def page(figures: Iterable[Figure]) -> str:
    """The text of a scrape."""
    return "".join(
        f"# HELP {each.name} {each.meaning}\n# TYPE {each.name} {each.kind}\n{each.name} {each.value:.15g}\n"
        for each in figures
    )
