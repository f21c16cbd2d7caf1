"""The registry's view as metrics, in the text form of Prometheus.

The figures are the job's own counters, exact and the same at every gateway: scrape one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from scurry.wire.statistics import BATCH_BUCKETS, LATENCY_BUCKETS, bounds

Labels = dict[str, str]
Sample = tuple[str, Labels, float]

_KINDS: Final = {
    "scurry_requests_total": ("counter", "Requests routed to a version, refused ones included."),
    "scurry_answers_total": ("counter", "Answers by their code: ok, or that of the error."),
    "scurry_unrouted_total": ("counter", "Requests that found no version, by the code of their answer."),
    "scurry_latency_seconds": ("histogram", "From a request's arrival in Redis until a worker has answered it."),
    "scurry_batch_size": ("histogram", "Requests that one call of the model answered."),
    "scurry_busy_seconds_total": ("counter", "Time that workers computed."),
}


def exposition(records: Iterable[Mapping[str, Any]]) -> str:
    """All models' counters as text."""
    found: dict[str, list[Sample]] = {}
    for record in records:
        for family, sample in _samples(record):
            found.setdefault(family, []).append(sample)
    lines = []
    for family, samples in sorted(found.items()):
        kind, text = _KINDS[family]
        lines += [f"# HELP {family} {text}", f"# TYPE {family} {kind}"]
        lines += [f"{name}{_labels(labels)} {value}" for name, labels, value in samples]
    return "\n".join([*lines, ""])


def _samples(record: Mapping[str, Any]) -> Iterator[tuple[str, Sample]]:
    model = {"model": record["model"]}
    for code, count in (record.get("unrouted") or {}).items():
        yield _one("scurry_unrouted_total", {**model, "code": code}, count)
    for version in record.get("versions", ()):
        labels = {**model, "version": version["version"]}
        yield _one("scurry_requests_total", labels, version.get("requests", 0))
        codes = Counter({"ok": version.get("ok", 0), "overloaded": version.get("refused", 0)})
        codes.update(version.get("errors") or {})  # of a graph, `overloaded` is also what a step of it got
        for code, count in codes.items():
            yield _one("scurry_answers_total", {**labels, "code": code}, count)
        yield _one("scurry_busy_seconds_total", labels, version.get("busy_ms", 0) / 1000)
        latency = version.get("latency_ms") or {}
        limits = [bound if bound == "+Inf" else f"{int(bound) / 1000:g}" for bound in bounds(LATENCY_BUCKETS)]
        counts = [(latency.get("buckets") or {}).get(bound, 0) for bound in bounds(LATENCY_BUCKETS)]
        yield from _histogram("scurry_latency_seconds", labels, limits, counts, latency.get("sum", 0) / 1000)
        sizes = [(version.get("batch_sizes") or {}).get(bound, 0) for bound in bounds(BATCH_BUCKETS)]
        yield from _histogram("scurry_batch_size", labels, list(bounds(BATCH_BUCKETS)), sizes, None)


def _one(family: str, labels: Labels, value: float) -> tuple[str, Sample]:
    return family, (family, labels, value)


def _histogram(
    family: str, labels: Labels, limits: list[str], counts: list[int], total: float | None
) -> Iterator[tuple[str, Sample]]:
    """Buckets that add up, as Prometheus wants them."""
    for limit, count in zip(limits, accumulate(counts), strict=True):
        yield family, (f"{family}_bucket", {**labels, "le": limit}, count)
    if total is not None:
        yield family, (f"{family}_sum", labels, total)
    yield family, (f"{family}_count", labels, sum(counts))


def _labels(labels: Labels) -> str:
    """Names of models, versions and codes have no character that would have to be escaped."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
