"""A model's traffic as tables: what its versions answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scurry.cli.output import table
from scurry.cli.rollout import rollout_line


def traffic_lines(record: Mapping[str, Any]) -> list[str]:
    """What is shown of the counters of a model's record; nothing while nobody has asked it."""
    rows = [_row(one) for one in record.get("versions", ()) if one.get("requests")]
    lines = [""] if rows else []
    if rows:
        lines.append(table(("VERSION", "REQUESTS", "OK", "ERRORS", "REFUSED", "MEAN MS", "P99 MS", "BATCH"), rows))
        lines += _stage_lines(record)
    for one in record.get("versions", ()):
        errors = (one.get("errors") or {}).items()
        lines += [f"version {one['version']} answered {_times(count)} {code}" for code, count in errors]
    lines += [f"without a version: {_times(count)} {code}" for code, count in (record.get("unrouted") or {}).items()]
    shadows = [(version, *_shadow_row(one)) for version, one in (record.get("shadow") or {}).items()]
    if shadows:
        heads = ("SHADOW", "PERCENT", "COMPARED", "EQUAL", "MAX DIFF", "ERRORS", "DROPPED", "TIME RATIO")
        lines += ["", table(heads, shadows)]
    if record.get("rollout"):
        lines += ["", rollout_line(record["rollout"])]
    return lines


def _shadow_row(one: dict[str, Any]) -> tuple[object, ...]:
    ratio, difference = one.get("latency_ratio"), f"{one.get('max_abs_diff', 0):.3g}"
    errors = sum((one.get("errors") or {}).values())
    if "compared" not in one:  # as it was then: what was counted by then is not kept
        return (one["percent"], *["-"] * 6)
    return (
        one["percent"], one["compared"], one["equal"], difference, errors, one["dropped"],
        "-" if ratio is None else f"{ratio:.2f}",
    )  # fmt: skip


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    errors, latency = sum((one.get("errors") or {}).values()), one.get("latency_ms") or {}
    buckets, batches = latency.get("buckets") or {}, sum((one.get("batch_sizes") or {}).values())
    answered = sum(buckets.values())
    mean = f"{latency.get('sum', 0) / answered:.1f}" if answered else "-"
    batch = f"{answered / batches:.1f}" if batches else "-"
    return (
        one["version"], one["requests"], one["ok"], errors, one["refused"], mean, quantile(buckets, 0.99), batch,
    )  # fmt: skip


def _stage_lines(record: Mapping[str, Any]) -> list[str]:
    """The mean of a request's time at each stage of its worker, for versions whose model was called."""
    lines = []
    for one in record.get("versions", ()):
        told, hits = one.get("stage_micros") or {}, (one.get("cache") or {}).get("hits", 0)
        if any(told.values()):
            mean = {stage: micros / 1000 / max(1, one["ok"] - hits) for stage, micros in told.items()}
            stages = ", ".join(f"{stage} {millis:.2f}" for stage, millis in mean.items())
            lines.append(f"version {one['version']} at its workers, mean ms: {stages}")
    return lines


def quantile(buckets: dict[str, int], share: float) -> str:
    """The bound below which that share of the values lies, `≤ 4`; `-` without values."""
    wanted, passed = share * sum(buckets.values()), 0
    for bound, count in buckets.items():
        passed += count
        if count and passed >= wanted:
            return f"≤ {bound}" if bound != "+Inf" else "longer"
    return "-"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
