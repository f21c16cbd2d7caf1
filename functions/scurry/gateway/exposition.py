"""The registry's view as metrics, in the text form of Prometheus.

The figures are the job's own counters, exact and the same at every gateway: of several, one counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from scurry.telemetry.prometheus import Bounded, Figure, Kind, Labels, histogram
from scurry.wire.statistics import BATCH_BUCKETS, LATENCY_BUCKETS, bounds

LATENCY_LIMITS: Final = [bound if bound == "+Inf" else f"{int(bound) / 1000:g}" for bound in bounds(LATENCY_BUCKETS)]
BATCH_LIMITS: Final = list(bounds(BATCH_BUCKETS))

_KINDS: Final[Mapping[str, tuple[Kind, str]]] = {
    "scurry_requests_total": ("counter", "Requests routed to a version, refused ones included."),
    "scurry_answers_total": ("counter", "Answers by their code: ok, or that of the error."),
    "scurry_unrouted_total": ("counter", "Requests that found no version, by the code of their answer."),
    "scurry_latency_seconds": ("histogram", "From a request's arrival in Redis until a worker has answered it."),
    "scurry_batch_size": ("histogram", "Requests that one call of the model answered."),
    "scurry_busy_seconds_total": ("counter", "Time that workers computed."),
    "scurry_stage_seconds_total": ("counter", "Time of answered requests at a stage: input, compute or output."),
    "scurry_failed_seconds_total": ("counter", "Time of requests that a worker answered with an error, by its code."),
    "scurry_last_inference_timestamp_seconds": ("gauge", "When the model answered last, by the Unix clock."),
    "scurry_cache_hits_total": ("counter", "Requests answered from memory."),
    "scurry_cache_misses_total": ("counter", "Requests that memory had no answer for."),
    "scurry_version_state": ("gauge", "1 for the state that a version is in."),
}


def exposition(records: Iterable[Mapping[str, Any]], named: Bounded) -> Iterator[Figure]:
    """All models' counters; those that have no room of their own are added up."""
    for record in records:
        yield from _figures(record, named.label(record["model"]) == record["model"])


def _figures(record: Mapping[str, Any], own: bool) -> Iterator[Figure]:
    model: Labels = (("model", record["model"] if own else "other"),)
    for code, count in (record.get("unrouted") or {}).items():
        yield _one("scurry_unrouted_total", (*model, ("code", code)), count)
    for version in record.get("versions", ()):
        labels = (*model, ("version", version["version"] if own else ""))
        if own and version.get("state"):
            yield _one("scurry_version_state", (*labels, ("state", version["state"])), 1)
        yield _one("scurry_requests_total", labels, version.get("requests", 0))
        codes = Counter({"ok": version.get("ok", 0), "overloaded": version.get("refused", 0)})
        codes.update(version.get("errors") or {})  # of a graph, `overloaded` is also what a step of it got
        for code, count in codes.items():
            yield _one("scurry_answers_total", (*labels, ("code", code)), count)
        yield _one("scurry_busy_seconds_total", labels, version.get("busy_ms", 0) / 1000)
        yield from _times(version, labels, own=own)
        latency = version.get("latency_ms") or {}
        counts = [(latency.get("buckets") or {}).get(bound, 0) for bound in bounds(LATENCY_BUCKETS)]
        yield from _several("scurry_latency_seconds", labels, LATENCY_LIMITS, counts, latency.get("sum", 0) / 1000)
        sizes = [(version.get("batch_sizes") or {}).get(bound, 0) for bound in bounds(BATCH_BUCKETS)]
        yield from _several("scurry_batch_size", labels, BATCH_LIMITS, sizes, None)


def _times(version: Mapping[str, Any], labels: Labels, *, own: bool) -> Iterator[Figure]:
    """Where the time went. The queue is left out: as a difference of others it is no counter, and may shrink."""
    for stage, micros in (version.get("stage_micros") or {}).items():
        yield _one("scurry_stage_seconds_total", (*labels, ("stage", stage)), micros / 1e6)
    for code, millis in (version.get("failed_ms") or {}).items():
        yield _one("scurry_failed_seconds_total", (*labels, ("code", code)), millis / 1000)
    if own and version.get("last_inference"):
        yield _one("scurry_last_inference_timestamp_seconds", labels, version["last_inference"] / 1000)
    cache = version.get("cache") or {}
    if any(cache.values()):
        yield _one("scurry_cache_hits_total", labels, cache.get("hits", 0))
        yield _one("scurry_cache_misses_total", labels, cache.get("misses", 0))


def _one(family: str, labels: Labels, value: float) -> Figure:
    return Figure(family, *_KINDS[family], value, labels)


def _several(
    family: str, labels: Labels, limits: list[str], counts: list[int], total: float | None
) -> Iterator[Figure]:
    return histogram(family, _KINDS[family][1], labels, limits=limits, counts=counts, total=total)
