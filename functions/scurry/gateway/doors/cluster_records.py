"""A model's record, told in Cluster Serving's words.

Pure: no I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from scurry.gateway.describe import READY, Record
from scurry.wire.errors import NotFound
from scurry.wire.names import CLUSTER_SERVING, SERVING_STREAM

PERCENTILES: Final = {
    "median": 0.5, "_75thPercentile": 0.75, "_95thPercentile": 0.95, "_98thPercentile": 0.98,
    "_99thPercentile": 0.99, "_999thPercentile": 0.999,
}  # fmt: skip


def described(record: Record, name: str, version: str = "") -> list[dict[str, Any]]:
    """What there is to say of each version, or of one. Raises `NotFound`."""
    meant = record.get("aliases", {}).get(version, version)
    found = [
        {
            "type": "ClusterServingMetaData",
            "modelName": name,
            "modelVersion": one["version"],
            "redisInputQueue": next(iter(streams(record)), ""),
            "redisOutputQueue": "".join(f"{CLUSTER_SERVING}{each}:" for each in list(streams(record))[:1]),
            "inputCompileType": "instance",
            "features": [spec["name"] for spec in (one.get("signature") or {}).get("inputs", ())],
            "state": one["state"],
        }
        for one in record.get("versions", ())
        if not version or one["version"] == meant
    ]
    if not found:
        code, what = ("version_not_found", f" {version!r}") if version else ("model_not_found", "")
        raise NotFound(code, f"Model {name!r} has no version{what}.")
    return found


def streams(record: Record) -> Mapping[str, Any]:
    """The streams that are bound to a model."""
    found: Mapping[str, Any] = record.get("streams") or {}
    return found


def model_of(records: Mapping[str, Record]) -> str:
    """The model that /predict asks: that of the usual stream, else the only one. Raises `NotFound`."""
    bound = next((name for name, record in records.items() if SERVING_STREAM in streams(record)), "")
    ready = [name for name, one in records.items() if any(each["state"] == READY for each in one.get("versions", ()))]
    if bound or len(ready) == 1:
        return bound or ready[0]
    told = f"/predict asks the model that stream {SERVING_STREAM!r} is bound to, and there is none"
    cure = f"run `scurry models bind NAME {SERVING_STREAM}`, or ask /models/NAME/predict"
    raise NotFound("model_not_found", f"{told}: {cure}.")


def timers(records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """Milliseconds that requests took, for each version: as near as the buckets of its histogram tell."""
    return [
        _timer(f"zoo.serving.inference.{name}.{one['version']}", one.get("latency_ms") or {})
        for name, record in sorted(records.items())
        for one in record.get("versions", ())
    ]


def _timer(name: str, latency: Mapping[str, Any]) -> dict[str, Any]:
    counts: Mapping[str, int] = latency.get("buckets") or {}
    total = sum(counts.values())
    passed = list(zip(accumulate(counts.values()), map(_millis, counts), strict=True))
    return {
        "name": name,
        "count": total,
        "meanRate": 0.0,
        "min": 0,
        "max": max(_within(counts), default=0),
        "mean": latency.get("sum", 0) / total if total else 0.0,
        "stdDev": 0.0,
        **{word: _at(passed, total * share) for word, share in PERCENTILES.items()},
    }


def _within(counts: Mapping[str, int]) -> Iterator[int]:
    return (_millis(bound) for bound, count in counts.items() if count)


def _millis(bound: str) -> int:
    return int(bound) if bound.isdecimal() else 2**31 - 1


def _at(passed: Iterable[tuple[int, int]], place: float) -> float:
    return float(next((bound for count, bound in passed if count >= place > 0), 0))
