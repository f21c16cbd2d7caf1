"""What models do, by two looks."""

from __future__ import annotations

import pytest

from scurry.cli.load import cells, model_rows, quantile


def version(requests: int, ok: int, buckets: dict, **more) -> dict:
    """A record with one version."""
    one = {"version": "1", "state": "ready", "requests": requests, "ok": ok, "latency_ms": {"buckets": buckets}}
    return {"versions": [one | more]}


def test_rates_and_times_are_of_what_came_between():
    """What is under way is the queue; the busiest comes first."""
    before = {"m": version(10, 10, {"1": 10}), "idle": version(5, 5, {"8": 5})}
    after = {"m": version(40, 33, {"1": 10, "4": 20}, errors={"input_shape": 2}, refused=1), "idle": before["idle"]}
    row, idle = model_rows(before, after, 2.0)
    assert row == {
        "model": "m", "version": "1", "state": "ready", "requests_per_second": 15.0, "p50_ms": 3.0, "p99_ms": 3.98,
        "queue": 4, "errors": 3, "requests": 40,
    }  # fmt: skip
    assert (idle["requests_per_second"], idle["p50_ms"], idle["queue"]) == (0.0, None, 0)
    assert cells(idle)[4] == ""


def test_one_look_tells_of_all_there_ever_was():
    """Times and errors; no rate."""
    (row,) = model_rows({}, {"m": version(9, 9, {"2": 9})}, 0.0)
    assert (row["requests_per_second"], row["p50_ms"], row["requests"]) == (0.0, 1.5, 9)


@pytest.mark.parametrize(("buckets", "share", "value"), [
    ({}, 0.5, None), ({"1": 4}, 0.5, 0.5), ({"1": 1, "2": 1}, 0.5, 1.0), ({"1": 1, "+Inf": 9}, 0.99, 32768.0),
    ({"16": 1, "2": 99}, 0.99, 2.0),
])  # fmt: skip
def test_quantiles(buckets, share, value):
    """Even within a bucket, whatever order they come in."""
    assert quantile(buckets, share) == value
