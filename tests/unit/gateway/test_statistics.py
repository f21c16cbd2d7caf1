"""Counters in Triton's words."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.gateway.statistics import statistics
from scurry.wire.errors import NotFound

COUNTED: dict[str, Any] = {
    "version": "1", "state": "ready", "requests": 12, "ok": 8, "errors": {"input_name": 2}, "refused": 1,
    "latency_ms": {"sum": 40, "buckets": {"4": 10}}, "busy_ms": 15, "batch_sizes": {"1": 2, "4": 3, "+Inf": 1},
    "stage_micros": {"input": 2_500, "compute": 15_000, "output": 500}, "failed_ms": {"input_name": 6},
    "last_inference": 1_700_000_000_123, "cache": {"hits": 3, "misses": 5},
}  # fmt: skip
RECORD = {"versions": [COUNTED, {"version": "2", "state": "failed"}], "aliases": {"best": "1"}}


def test_requests_answers_and_times_are_told() -> None:
    """What is left of the time of those that were answered when the workers' is taken off is the queue's."""
    (told,) = statistics(RECORD, "m", "")
    assert (told["name"], told["version"], told["inference_count"], told["execution_count"]) == ("m", "1", 5, 6)
    assert told["last_inference"] == 1_700_000_000_123
    durations = told["inference_stats"]
    assert durations["success"] == {"count": 8, "ns": 34_000_000}
    assert durations["fail"] == {"count": 3, "ns": 6_000_000}
    assert durations["queue"] == {"count": 8, "ns": 16_000_000}
    assert durations["compute_input"] == {"count": 5, "ns": 2_500_000}
    assert durations["compute_infer"] == {"count": 5, "ns": 15_000_000}
    assert durations["compute_output"] == {"count": 5, "ns": 500_000}
    assert durations["cache_hit"] == {"count": 3, "ns": 0}
    assert durations["cache_miss"] == {"count": 5, "ns": 0}


def test_batches_are_told_by_the_bounds_of_their_buckets() -> None:
    """The last bucket has none: it is called by the next power of two."""
    (told,) = statistics(RECORD, "m", "best")
    assert [(one["batch_size"], one["compute_infer"]["count"]) for one in told["batch_stats"]] == [
        (1, 2), (4, 3), (1024, 1),
    ]  # fmt: skip


def test_workers_never_computed_longer_than_requests_took() -> None:
    """Redis' clock and the worker's are two."""
    record = {"versions": [COUNTED | {"stage_micros": {"input": 0, "compute": 90_000, "output": 0}}]}
    durations = statistics(record, "m", "1")[0]["inference_stats"]
    assert (durations["queue"]["ns"], durations["compute_infer"]["ns"]) == (0, 34_000_000)


def test_a_version_is_told_that_was_never_asked_and_where_none_is_ready_all_are() -> None:
    """With zeros; its name is enough."""
    (told,) = statistics(RECORD, "m", "2")
    assert (told["inference_count"], told["batch_stats"]) == (0, [])
    assert [one["version"] for one in statistics({"versions": RECORD["versions"][1:]}, "m", "")] == ["2"]
    with pytest.raises(NotFound):
        statistics(RECORD, "m", "3")
