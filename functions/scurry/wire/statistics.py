"""Counts of requests: their buckets, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, MutableSequence
from typing import Any, Final

from scurry.wire.messages_pb2 import Counts, Statistics

LATENCY_BUCKETS: Final = 17
"""Up to 1, 2, 4 … 32,768 ms, and longer."""
BATCH_BUCKETS: Final = 11
"""Model calls that answered up to 1, 2, 4 … 512 requests, and more."""


def place(value: int, buckets: int) -> int:
    """The bucket of a value: the first whose bound, a power of two, is no less; the last has no bound."""
    return min((value - 1).bit_length(), buckets - 1) if value > 1 else 0


def bounds(buckets: int) -> Iterator[str]:
    """The upper bounds of the buckets, as they are shown."""
    yield from (str(1 << number) for number in range(buckets - 1))
    yield "+Inf"


def add_at(histogram: MutableSequence[int], place: int, count: int) -> None:
    """Count into a bucket. What lies behind the last that was ever counted into is not kept."""
    while len(histogram) <= place:
        histogram.append(0)
    histogram[place] += count


def add_codes(into: MutableMapping[str, int], more: MutableMapping[str, int]) -> None:
    """Add up counts by code."""
    for code, count in more.items():
        into[code] = into.get(code, 0) + count


def merge(into: Statistics, more: Statistics) -> None:
    """Add up what one version did."""
    if more.HasField("primary"):
        _merge(into.primary, more.primary)


def _merge(into: Counts, more: Counts) -> None:
    into.requests += more.requests
    into.ok += more.ok
    into.refused += more.refused
    into.latency_millis += more.latency_millis
    into.busy_micros += more.busy_micros
    if more.errors:
        add_codes(into.errors, more.errors)
    _add_up(into.latency, more.latency)
    _add_up(into.batches, more.batches)


def _add_up(into: Any, more: Iterable[int]) -> None:  # noqa: ANN401 - protobuf's own kind of list
    total = list(into)
    for at, count in enumerate(more):
        add_at(total, at, count)
    into[:] = total


def answered(counts: Counts) -> int:
    """Requests that were answered, refused ones left out."""
    return counts.ok + sum(counts.errors.values())


def counts_view(counts: Counts) -> dict[str, Any]:
    """Counts as readers see them; of histograms the buckets that are not empty, by upper bound."""
    return {
        "requests": counts.requests,
        "ok": counts.ok,
        "errors": dict(sorted(counts.errors.items())),
        "refused": counts.refused,
        "latency_ms": {"sum": counts.latency_millis, "buckets": _histogram(counts.latency, LATENCY_BUCKETS)},
        "batch_sizes": _histogram(counts.batches, BATCH_BUCKETS),
        "busy_ms": counts.busy_micros // 1000,
    }


def _histogram(values: Iterable[int], buckets: int) -> dict[str, int]:
    return {bound: count for bound, count in zip(bounds(buckets), values, strict=False) if count}
