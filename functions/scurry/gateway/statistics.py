"""A model's counters, as Triton's statistics tell them.

The registry counts requests, answers, the time from a request's arrival in Redis to its answer, and the time that
workers computed, each batch once. What Triton tells beyond that is not known here and is 0: `last_inference`, the times
of failures, inputs and outputs, hits of the cache. `queue` is what is left of the requests' time when the workers' is
taken off, ways included. A `batch_size` is the upper bound of its bucket (1, 2, 4 … 512, and 1,024 for all above);
it counts requests, not rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scurry.gateway.describe import READY, Record, version_of
from scurry.gateway.models import Models
from scurry.wire.statistics import BATCH_BUCKETS

ABOVE: Final = 1 << (BATCH_BUCKETS - 1)
"""How the bucket without an upper bound is called."""
NS: Final = 1_000_000
"""Nanoseconds of a millisecond."""

Duration = dict[str, int]


async def statistics_of(models: Models, name: str, version: str) -> list[dict[str, Any]]:
    """The entries of `model_stats` for a model, or for all of them. Raises `NotFound` or `Unavailable`."""
    if name:
        return statistics(await models.record(name), name, version)
    records = await models.records()
    return [entry for each in sorted(records) for entry in statistics(records[each], each, "")]


def statistics(record: Record, name: str, version: str) -> list[dict[str, Any]]:
    """The entries of `model_stats`: of the version asked for, else of those that are ready. Raises `NotFound`."""
    if version:
        return [_entry(version_of(record, name, version), name)]
    versions = record.get("versions", ())
    return [_entry(one, name) for one in versions if one["state"] == READY] or [
        _entry(one, name) for one in versions
    ]


def _entry(one: Record, name: str) -> dict[str, Any]:
    sizes: Mapping[str, int] = one.get("batch_sizes") or {}
    ok = int(one.get("ok", 0))
    return {
        "name": name,
        "version": one["version"],
        "last_inference": 0,
        "inference_count": ok,
        "execution_count": sum(sizes.values()),
        "inference_stats": _durations(one, ok),
        "batch_stats": [_batch(bound, calls) for bound, calls in sizes.items()],
        "memory_usage": [],
    }


def _durations(one: Record, ok: int) -> dict[str, Duration]:
    total = int((one.get("latency_ms") or {}).get("sum", 0)) * NS
    computed = min(int(one.get("busy_ms", 0)) * NS, total)
    failed = int(one.get("refused", 0)) + sum((one.get("errors") or {}).values())
    return {
        "success": _duration(ok, total),
        "fail": _duration(failed),
        "queue": _duration(ok, total - computed),
        "compute_input": _duration(ok),
        "compute_infer": _duration(ok, computed),
        "compute_output": _duration(ok),
        "cache_hit": _duration(0),
        "cache_miss": _duration(0),
    }


def _batch(bound: str, calls: int) -> dict[str, Any]:
    size = ABOVE if bound == "+Inf" else int(bound)
    return {
        "batch_size": size,
        "compute_input": _duration(calls),
        "compute_infer": _duration(calls),
        "compute_output": _duration(calls),
    }


def _duration(count: int, ns: int = 0) -> Duration:
    return {"count": count, "ns": ns}
