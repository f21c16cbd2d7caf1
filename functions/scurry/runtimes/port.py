"""What a model takes and gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of a model; -1 is a free dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]
