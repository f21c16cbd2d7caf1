"""What models do, by the difference of two looks at their counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Record = Mapping[str, Any]
Row = dict[str, Any]
Buckets = Mapping[str, int]

COLUMNS: Final = ("MODEL", "VERSION", "STATE", "REQ/S", "P50 MS", "P99 MS", "QUEUE", "ERRORS", "REQUESTS")


def model_rows(before: Mapping[str, Record], after: Mapping[str, Record], seconds: float) -> list[Row]:
    """A row for each version, the busiest first. Without a look before, times are of all that was ever answered."""
    rows = [row for name in sorted(after) for row in _versions(name, before.get(name, {}), after[name], seconds)]
    return sorted(rows, key=lambda row: -row["requests_per_second"])


def _versions(name: str, before: Record, after: Record, seconds: float) -> Iterator[Row]:
    known = {version["version"]: version for version in before.get("versions", ())}
    for version in after.get("versions", ()):
        was = known.get(version["version"], {})
        grown = max(0, version.get("requests", 0) - was.get("requests", 0)) if known else 0
        times = _difference(_buckets(was), _buckets(version))
        yield {
            "model": name,
            "version": version["version"],
            "state": version.get("state", ""),
            "requests_per_second": round(grown / seconds, 1) if seconds else 0.0,
            "p50_ms": quantile(times, 0.5),
            "p99_ms": quantile(times, 0.99),
            "queue": max(0, version.get("requests", 0) - _answered(version)),
            "errors": _errors(version) - _errors(was),
            "requests": version.get("requests", 0),
        }


def _buckets(version: Record) -> Buckets:
    return (version.get("latency_ms") or {}).get("buckets") or {}


def _errors(version: Record) -> int:
    return int(sum((version.get("errors") or {}).values())) + int(version.get("refused", 0))


def _answered(version: Record) -> int:
    return int(version.get("ok", 0)) + _errors(version)


def _difference(before: Buckets, after: Buckets) -> dict[str, int]:
    return {bound: count - before.get(bound, 0) for bound, count in after.items() if count > before.get(bound, 0)}


def quantile(buckets: Buckets, share: float) -> float | None:
    """The time below which so many stay, taken as even within its bucket; None when there is none.

    Bounds are powers of two, each bucket begins at half of its own; what is beyond the last counts as that.
    """
    bounds = sorted((float(bound.replace("+Inf", "inf")), count) for bound, count in buckets.items())
    rank = share * sum(count for _, count in bounds)
    for bound, count in bounds:
        if rank <= count:
            if bound == float("inf"):
                return 32768.0
            low = bound / 2 if bound > 1 else 0.0
            return round(low + (bound - low) * rank / count, 2) if count else None
        rank -= count
    return None


def cells(row: Row) -> Sequence[object]:
    """A row as the table shows it."""
    def shown(value: float | None) -> object:
        return "" if value is None else value

    return (
        row["model"], row["version"], row["state"], row["requests_per_second"], shown(row["p50_ms"]),
        shown(row["p99_ms"]), row["queue"], row["errors"], row["requests"],
    )  # fmt: skip
