"""The registry's view as metrics."""

from __future__ import annotations

from scurry.gateway.exposition import exposition
from scurry.telemetry.prometheus import Bounded, page
from scurry.wire.messages_pb2 import Counts
from scurry.wire.statistics import counts_view

COUNTS = Counts(
    requests=8, ok=4, errors={"internal": 1, "overloaded": 1}, refused=2,
    latency=[1, 0, 3, *[0] * 13, 1], latency_millis=9000, batches=[2, 1], busy_micros=1_500_000,
    input_micros=250_000, compute_micros=1_000_000, output_micros=500, failed_millis={"internal": 750},
    last_millis=1_700_000_000_500, cache_hits=1, cache_misses=3,
)  # fmt: skip


def test_counters_are_rendered_by_model_version_and_code():
    """Each family is described once; histograms add up, in seconds; an old view without counts reads as zeros."""
    record = {
        "model": "m",
        "unrouted": {"version_not_found": 3},
        "versions": [{"version": "1", **counts_view(COUNTS)}, {"version": "2"}],
    }
    lines = page(exposition([record], Bounded(9))).splitlines()
    assert lines.count("# TYPE scurry_latency_seconds histogram") == 1
    for line in (
        'scurry_unrouted_total{model="m",code="version_not_found"} 3',
        'scurry_requests_total{model="m",version="1"} 8',
        'scurry_answers_total{model="m",version="1",code="ok"} 4',
        'scurry_answers_total{model="m",version="1",code="internal"} 1',
        'scurry_answers_total{model="m",version="1",code="overloaded"} 3',
        'scurry_busy_seconds_total{model="m",version="1"} 1.5',
        'scurry_stage_seconds_total{model="m",version="1",stage="input"} 0.25',
        'scurry_stage_seconds_total{model="m",version="1",stage="compute"} 1',
        'scurry_stage_seconds_total{model="m",version="1",stage="output"} 0.0005',
        'scurry_failed_seconds_total{model="m",version="1",code="internal"} 0.75',
        'scurry_last_inference_timestamp_seconds{model="m",version="1"} 1700000000.5',
        'scurry_cache_hits_total{model="m",version="1"} 1',
        'scurry_cache_misses_total{model="m",version="1"} 3',
        'scurry_latency_seconds_bucket{model="m",version="1",le="0.001"} 1',
        'scurry_latency_seconds_bucket{model="m",version="1",le="0.004"} 4',
        'scurry_latency_seconds_bucket{model="m",version="1",le="32.768"} 4',
        'scurry_latency_seconds_bucket{model="m",version="1",le="+Inf"} 5',
        'scurry_latency_seconds_sum{model="m",version="1"} 9',
        'scurry_batch_size_bucket{model="m",version="1",le="2"} 3',
        'scurry_batch_size_count{model="m",version="1"} 3',
        'scurry_requests_total{model="m",version="2"} 0',
    ):
        assert line in lines, line
    assert page(exposition([], Bounded(9))) == ""


def test_models_beyond_so_many_are_one():
    """Their counters add up under `other`; those that came first keep theirs."""
    records = [{"model": name, "versions": [{"version": "1", "requests": 3, "state": "ready"}]} for name in "abc"]
    named = Bounded(1)
    lines = page(exposition(records, named)).splitlines()
    assert 'scurry_requests_total{model="a",version="1"} 3' in lines
    assert 'scurry_requests_total{model="other",version=""} 6' in lines
    assert [line for line in lines if line.startswith("scurry_version_state")] == [
        'scurry_version_state{model="a",version="1",state="ready"} 1'
    ]
    assert 'scurry_requests_total{model="a",version="1"} 3' in page(exposition(reversed(records), named))
