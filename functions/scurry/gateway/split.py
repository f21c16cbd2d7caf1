"""Where the time of a version's requests went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

ORDER: Final = ("compute", "input", "output")
"""Where stages seem to have taken longer than the requests, by the two clocks, the last of these gives way first."""


class Split(NamedTuple):
    """Microseconds, all requests added up. The four stages are exactly `success`."""

    success: int
    failed: int
    queue: int
    input: int
    compute: int
    output: int


def split_of(version: Mapping[str, Any]) -> Split:
    """Of what a version's record counts.

    A worker tells what requests spent at its stages, in its own clock's microseconds; a request's whole time is the
    difference of two clocks, in milliseconds. Queue is what is left of that, never less than nothing.
    """
    whole = 1000 * int((version.get("latency_ms") or {}).get("sum", 0))
    failed = min(whole, 1000 * sum((version.get("failed_ms") or {}).values()))
    told, left, stages = version.get("stage_micros") or {}, whole - failed, dict[str, int]()
    for stage in ORDER:
        stages[stage] = min(left, int(told.get(stage, 0)))
        left -= stages[stage]
    return Split(whole - failed, failed, left, **stages)
