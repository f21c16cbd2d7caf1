"""Records in Cluster Serving's words."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.gateway.doors.cluster_records import described, model_of, timers
from scurry.wire.errors import NotFound

SIGNATURE = {"inputs": [{"name": "a"}, {"name": "b"}]}
RECORD: dict[str, Any] = {
    "versions": [
        {"version": "1", "state": "ready", "signature": SIGNATURE},
        {
            "version": "2", "state": "failed",
            "latency_ms": {"sum": 600, "buckets": {"1": 0, "2": 50, "4": 49, "+Inf": 1}},
        },
    ],
    "aliases": {"best": "1"},
    "streams": {"mine": {}},
}


def test_versions_are_described_as_the_original_does() -> None:
    """With the keys under which answers lie, and the names of inputs."""
    one, other = described(RECORD, "m")
    told = [one[name] for name in ("modelName", "modelVersion", "features", "redisInputQueue")]
    assert told == ["m", "1", ["a", "b"], "mine"]
    assert (one["redisOutputQueue"], other["state"]) == ("cluster-serving_mine:", "failed")
    assert [each["modelVersion"] for each in described(RECORD, "m", "best")] == ["1"]
    with pytest.raises(NotFound, match="'9'"):
        described(RECORD, "m", "9")
    assert described({"versions": [{"version": "1", "state": "ready"}]}, "m")[0]["redisOutputQueue"] == ""


def test_predict_asks_the_model_of_the_usual_stream_or_the_only_one() -> None:
    """Nobody guesses between two."""
    assert model_of({"m": RECORD}) == "m"
    assert model_of({"m": RECORD, "n": {**RECORD, "streams": {"serving_stream": {}}}}) == "n"
    with pytest.raises(NotFound, match="scurry models bind"):
        model_of({"m": RECORD, "n": RECORD})
    with pytest.raises(NotFound):
        model_of({})


def test_timers_are_read_from_the_histogram() -> None:
    """A percentile is the bound of its bucket."""
    first, second = timers({"m": RECORD})
    assert (first["name"], first["count"], first["mean"], first["median"]) == ("zoo.serving.inference.m.1", 0, 0.0, 0.0)
    assert (second["count"], second["mean"], second["median"], second["_75thPercentile"]) == (100, 6.0, 2.0, 4.0)
    assert (second["_999thPercentile"], second["max"]) == (2**31 - 1, 2**31 - 1)
