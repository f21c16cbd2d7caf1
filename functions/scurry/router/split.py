"""Which version of a split a caller falls on.

Weighted rendezvous hashing: each version draws a number from the hash of the experiment, its own name and the key, and
divides by its weight; the least wins. While one version's share grows at the cost of others, its number only shrinks
beside theirs: keys move to it and none away from it. Pure: the same key falls on the same version in any process.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from typing import Final

_PARTS: Final = 2**53
"""As many numbers as a float tells apart."""


def pick(weights: Sequence[tuple[str, int]], experiment: str, key: str) -> str:
    """The version that a sticky key or an id falls on; at least one weight is above 0."""
    if len(weights) == 1:
        return weights[0][0]
    return min((_drawn(f"{experiment}/{version}/{key}") / weight, version) for version, weight in weights if weight)[1]


def _drawn(text: str) -> float:
    """Exponentially distributed: the least of several, each divided by its weight, is each's in proportion to it."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") >> 11
    return -log((number + 0.5) / _PARTS)
