"""A model's counters, as Triton's statistics tell them.

The registry counts requests, answers, the time from a request's arrival in Redis to its answer, and what of it was
spent on input, compute and output; as with Triton each request is charged all of its batch's time. `queue` is what is
left of the requests' time when those are taken off: the ways through the job, loading and waiting included. Requests
answered from memory are in `success` and `cache_hit`, not in `inference_count` nor in a stage. `fail` has the time of
those that a worker answered with an error; what was refused on its way counts without one. A model made of others
computes nothing itself: its time is all `queue`. Not known here, and 0: the times of `batch_stats`, because a call may
hold batches of several sizes, and of looking into the cache. A `batch_size` is the upper bound of its bucket (1, 2, 4 …
512, and 1,024 for all above); it counts requests, not rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scurry.gateway.describe import READY, Record, version_of
from scurry.gateway.models import Models
from scurry.gateway.split import split_of
from scurry.wire.statistics import BATCH_BUCKETS

ABOVE: Final = 1 << (BATCH_BUCKETS - 1)
"""How the bucket without an upper bound is called."""
NS: Final = 1_000
"""Nanoseconds of a microsecond."""

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
    hits = min(ok, _cache(one, "hits"))
    return {
        "name": name,
        "version": one["version"],
        "last_inference": int(one.get("last_inference", 0)),
        "inference_count": ok - hits,
        "execution_count": sum(sizes.values()),
        "inference_stats": _durations(one, ok, hits),
        "batch_stats": [_batch(bound, calls) for bound, calls in sizes.items()],
        "memory_usage": [],
    }


def _durations(one: Record, ok: int, hits: int) -> dict[str, Duration]:
    split = split_of(one)
    failed = int(one.get("refused", 0)) + sum((one.get("errors") or {}).values())
    return {
        "success": _duration(ok, split.success),
        "fail": _duration(failed, split.failed),
        "queue": _duration(ok, split.queue),
        "compute_input": _duration(ok - hits, split.input),
        "compute_infer": _duration(ok - hits, split.compute),
        "compute_output": _duration(ok - hits, split.output),
        "cache_hit": _duration(hits),
        "cache_miss": _duration(_cache(one, "misses")),
    }


def _cache(one: Record, name: str) -> int:
    return int((one.get("cache") or {}).get(name, 0))


def _batch(bound: str, calls: int) -> dict[str, Any]:
    size = ABOVE if bound == "+Inf" else int(bound)
    return {
        "batch_size": size,
        "compute_input": _duration(calls),
        "compute_infer": _duration(calls),
        "compute_output": _duration(calls),
    }


def _duration(count: int, micros: int = 0) -> Duration:
    return {"count": count, "ns": micros * NS}
