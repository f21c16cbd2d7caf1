"""How many lanes a version has, by message or by its config.

Without either it has two, and the router uses further ones, up to 16, while the first two are full. With a number, each
lane's worker has loaded the model before the lane takes requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from scurry.wire.errors import bad_message
from scurry.wire.messages_pb2 import LaneRange
from scurry.wire.names import LANES, MOST_LANES
from scurry.wire.queue_options import QueueOptions, read


@lru_cache(maxsize=1024)
def configured(config: str) -> QueueOptions:
    """What a version's checked config says of its queue and its lanes."""
    return read(json.loads(config or "{}"))


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_LANES:
        raise bad_message(f"{name} must be a whole number from 0 to {MOST_LANES}")
    return value


FIELDS: Final[dict[str, Callable[[str, object], Any]]] = {"min": _count, "max": _count}
"""How each field of the verb `lanes` is read from JSON."""


def check(told: LaneRange) -> None:
    """Raise `InvalidRequest` on what makes no sense, in whatever form it came."""
    _count("lanes.min", told.min)
    _count("lanes.max", told.max)
    if 0 < told.max < told.min:
        raise bad_message("lanes.min is above lanes.max")


def span(told: LaneRange, config: str) -> tuple[int, int]:
    """The fewest and the most lanes of a version; (0, 0) when nobody says."""
    fewest = told.min or configured(config).lanes
    if not fewest and not told.max:
        return 0, 0
    fewest = fewest or LANES
    return (min(fewest, told.max), told.max) if told.max else (fewest, fewest)


def clamped(told: LaneRange, config: str, lanes: int) -> int:
    """So many lanes, within what is told; 0 when nobody says."""
    fewest, most = span(told, config)
    return min(max(lanes, fewest), most)


def to_load(told: LaneRange, config: str, lanes: int) -> int:
    """Lanes whose workers have to load a version, which had so many, before it takes requests."""
    return clamped(told, config, lanes) or LANES


def in_force(told: LaneRange, config: str, lanes: int) -> int:
    """Lanes that share the requests of a version that has loaded so many (0: the usual two); 0 when nobody says."""
    most = span(told, config)[1]
    return min(lanes or LANES, most)


def view(told: LaneRange, config: str, lanes: int) -> dict[str, int]:
    """The lanes as readers see them."""
    fewest, most = span(told, config)
    if not most:
        return {"count": LANES, "min": LANES, "max": MOST_LANES}
    return {"count": in_force(told, config, lanes), "min": fewest, "max": most}
