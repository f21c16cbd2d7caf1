"""Counts of requests: their buckets, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, MutableSequence
from typing import Any, Final

from google.protobuf.message import Message

from scurry.wire.messages_pb2 import Answered, Comparisons, Counts, Statistics

LATENCY_BUCKETS: Final = 17
"""Up to 1, 2, 4 … 32,768 ms, and longer."""
BATCH_BUCKETS: Final = 11
"""Model calls that answered up to 1, 2, 4 … 512 requests, and more."""
RUNS: Final = -3
"""The lane of a `Done` that only counts: of a model that is made of others, whose runs end elsewhere."""
LONGEST_MS: Final = 86_400_000
"""A request is taken to have waited no longer; entries may bear ids that are no times."""
MOST_CODES: Final = 64
"""Codes that are told apart: a user's function may answer with any text."""
LONGEST_CODE: Final = 64
OTHER: Final = "other"
STAGES: Final = ("input", "compute", "output")
"""What a worker's time with a request is spent on."""


def age_ms(entry: str, now_ms: int) -> int:
    """Milliseconds since a request was written to its stream."""
    written = entry[entry.rfind("/") + 1 : entry.rfind("-")]
    return min(max(now_ms - int(written), 0), LONGEST_MS) if written.isdecimal() else 0


def place(value: int, buckets: int) -> int:
    """The bucket of a value: the first whose bound, a power of two, is no less; the last has no bound."""
    return min((value - 1).bit_length(), buckets - 1) if value > 1 else 0


def bounds(buckets: int) -> Iterator[str]:
    """The upper bounds of the buckets, as they are shown."""
    yield from (str(1 << number) for number in range(buckets - 1))
    yield "+Inf"


def add_codes(into: MutableMapping[str, int], more: MutableMapping[str, int]) -> None:
    """Add up counts by code; of very many, those that came later together."""
    for said, count in more.items():
        code = said if said in into or len(into) < MOST_CODES else OTHER
        into[code] = into.get(code, 0) + count


def note(statistics: Statistics, call: Answered) -> None:
    """Count what one call answered."""
    if call.HasField("shadow"):
        _compare(statistics.shadow, call.shadow)
    counts = statistics.primary
    counts.ok += call.ok
    counts.busy_micros += call.busy_micros
    _split(counts, call)
    if call.errors:
        add_codes(counts.errors, call.errors)
    waited = iter(call.waited)
    for age, requests in zip(waited, waited, strict=True):
        counts.latency_millis += age * requests
        _add_at(counts.latency, place(age, LATENCY_BUCKETS), requests)
    for size in call.sizes:
        _add_at(counts.batches, place(size, BATCH_BUCKETS), 1)


def merge(into: Statistics, more: Statistics) -> None:
    """Add up what one version did."""
    if more.HasField("primary"):
        _merge(into.primary, more.primary)
    if more.HasField("shadow"):
        _compare(into.shadow, more.shadow)


def _compare(into: Comparisons, more: Comparisons) -> None:
    _sum(into, more, ("compared", "equal", "dropped", "primary_micros", "shadow_micros"))
    into.max_abs_diff = max(into.max_abs_diff, more.max_abs_diff)
    add_codes(into.errors, more.errors)


def _merge(into: Counts, more: Counts) -> None:
    _sum(into, more, ("requests", "ok", "refused", "latency_millis", "busy_micros"))
    _split(into, more)
    add_codes(into.errors, more.errors)
    for histogram, counted in ((into.latency, more.latency), (into.batches, more.batches)):
        for at, count in enumerate(counted):
            _add_at(histogram, at, count)


def _split(into: Counts, more: Counts | Answered) -> None:
    """Where the time of requests went. What was counted before it was known has none of it."""
    into.input_micros += more.input_micros
    into.compute_micros += more.compute_micros
    into.output_micros += more.output_micros
    into.last_millis = max(into.last_millis, more.last_millis)
    into.cache_hits += more.cache_hits
    into.cache_misses += more.cache_misses
    if more.failed_millis:
        add_codes(into.failed_millis, more.failed_millis)


def _sum(into: Message, more: Message, fields: Iterable[str]) -> None:
    for field in fields:
        setattr(into, field, getattr(into, field) + getattr(more, field))


def _add_at(histogram: MutableSequence[int], place: int, count: int) -> None:
    """Count into a bucket. What lies behind the last that was ever counted into is not kept."""
    while len(histogram) <= place:
        histogram.append(0)
    histogram[place] += count


def answered_by(counts: Counts | Answered) -> int:
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
        "stage_micros": {stage: getattr(counts, f"{stage}_micros") for stage in STAGES},
        "failed_ms": dict(sorted(counts.failed_millis.items())),
        "last_inference": counts.last_millis,
        "cache": {"hits": counts.cache_hits, "misses": counts.cache_misses},
    }


def comparisons_view(shadow: Comparisons) -> dict[str, Any]:
    """What became of copies, as readers see it; the ratio is of computing times, and there is none before the first."""
    ratio = shadow.shadow_micros / shadow.primary_micros if shadow.primary_micros else None
    return {
        "compared": shadow.compared,
        "equal": shadow.equal,
        "max_abs_diff": shadow.max_abs_diff,
        "errors": dict(sorted(shadow.errors.items())),
        "dropped": shadow.dropped,
        "latency_ratio": None if ratio is None else round(ratio, 3),
    }


def _histogram(values: Iterable[int], buckets: int) -> dict[str, int]:
    return {bound: count for bound, count in zip(bounds(buckets), values, strict=False) if count}
