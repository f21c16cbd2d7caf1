"""What callers send, and how a model's input is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Spec(NamedTuple):
    """One tensor; -1 is a free dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Unusable(ValueError):
    """What came for one row cannot be used; the text says why and goes on from the input's name."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How one input of a model is made of what callers send, each row by itself."""

    to: Spec  # the model's own input
    takes: tuple[Spec, ...]  # what callers send for it; the first dimension is the rows
    row: Callable[[Sequence[Any]], Any]  # a row of each of those → the model's row. Raises `Unusable`
    sample: tuple[Any, ...]  # a row of each to try it with
    stacked: bool = True  # the model's input has rows; else the one row is the input
    costly: bool = False  # whether a row is worth a thread of its own
