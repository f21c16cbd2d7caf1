"""The registry's view as metrics."""

from __future__ import annotations

from scurry.gateway.exposition import exposition
from scurry.wire.messages_pb2 import Counts
from scurry.wire.statistics import counts_view

COUNTS = Counts(
    requests=8, ok=4, errors={"internal": 1, "overloaded": 1}, refused=2,
    latency=[1, 0, 3, *[0] * 13, 1], latency_millis=9000, batches=[2, 1], busy_micros=1_500_000,
)  # fmt: skip


def test_counters_are_rendered_by_model_version_and_code():
    """Each family is described once; histograms add up, in seconds; an old view without counts reads as zeros."""
    record = {
        "model": "m",
        "unrouted": {"version_not_found": 3},
        "versions": [{"version": "1", **counts_view(COUNTS)}, {"version": "2"}],
    }
    lines = exposition([record]).splitlines()
    assert lines.count("# TYPE scurry_latency_seconds histogram") == 1
    for line in (
        'scurry_unrouted_total{model="m",code="version_not_found"} 3',
        'scurry_requests_total{model="m",version="1"} 8',
        'scurry_answers_total{model="m",version="1",code="ok"} 4',
        'scurry_answers_total{model="m",version="1",code="internal"} 1',
        'scurry_answers_total{model="m",version="1",code="overloaded"} 3',
        'scurry_busy_seconds_total{model="m",version="1"} 1.5',
        'scurry_latency_seconds_bucket{model="m",version="1",le="0.001"} 1',
        'scurry_latency_seconds_bucket{model="m",version="1",le="0.004"} 4',
        'scurry_latency_seconds_bucket{model="m",version="1",le="32.768"} 4',
        'scurry_latency_seconds_bucket{model="m",version="1",le="+Inf"} 5',
        'scurry_latency_seconds_sum{model="m",version="1"} 9.0',
        'scurry_batch_size_bucket{model="m",version="1",le="2"} 3',
        'scurry_batch_size_count{model="m",version="1"} 3',
        'scurry_requests_total{model="m",version="2"} 0',
    ):
        assert line in lines, line
    assert exposition([]) == ""
