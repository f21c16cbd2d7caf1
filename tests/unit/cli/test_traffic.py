"""A model's traffic as tables."""

from __future__ import annotations

import pytest

from scurry.cli.traffic import quantile, traffic_lines

VERSION = {
    "version": "1", "requests": 9, "ok": 5, "errors": {"internal": 1, "bad_request": 2}, "refused": 1,
    "latency_ms": {"sum": 40, "buckets": {"4": 6, "16": 2}}, "batch_sizes": {"1": 2, "4": 2},
}  # fmt: skip


def test_versions_that_were_asked_have_a_line_and_their_errors():
    """Refused requests are a column of their own; what found no version is below."""
    lines = traffic_lines({"versions": [VERSION, {"version": "2", "requests": 0}], "unrouted": {"model_not_ready": 2}})
    assert lines[1].splitlines()[1].split() == ["1", "9", "5", "3", "1", "5.0", "≤", "16", "2.0"]
    assert lines[2:] == [
        "version 1 answered once internal",
        "version 1 answered 2 times bad_request",
        "without a version: 2 times model_not_ready",
    ]
    assert traffic_lines({"versions": [{"version": "1"}]}) == []


def test_where_the_time_goes_is_told_as_a_mean():
    """Of those that the model was asked for; a version that nobody asked yet has no line."""
    stages = {"input": 2_000, "compute": 16_000, "output": 500}
    asked = VERSION | {"stage_micros": stages, "cache": {"hits": 1, "misses": 4}}
    lines = traffic_lines({"versions": [asked, {"version": "2", "stage_micros": dict.fromkeys(stages, 0)}]})
    assert lines[2] == "version 1 at its workers, mean ms: input 0.50, compute 4.00, output 0.12"
    assert [line for line in lines if "workers" in line] == lines[2:3]


@pytest.mark.parametrize(
    ("buckets", "text"),
    [({}, "-"), ({"1": 5}, "≤ 1"), ({"1": 98, "2": 1, "4": 1}, "≤ 2"), ({"1": 1, "+Inf": 9}, "longer")],
)
def test_a_quantile_is_the_bound_of_its_bucket(buckets, text):
    """Of a histogram no more can be told."""
    assert quantile(buckets, 0.99) == text
