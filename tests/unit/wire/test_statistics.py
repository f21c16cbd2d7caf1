"""Buckets, and how counts add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scurry.wire.messages_pb2 import Answered, Counts, Statistics
from scurry.wire.statistics import (
    LATENCY_BUCKETS,
    MOST_CODES,
    add_codes,
    answered_by,
    bounds,
    counts_view,
    merge,
    note,
    place,
)

NUMBER = st.integers(0, 1 << 40)
CODES = st.dictionaries(st.sampled_from(["internal", "model_failed", "overloaded"]), NUMBER)
HISTOGRAM = st.lists(NUMBER, max_size=17)
COUNTS = st.builds(
    Counts, requests=NUMBER, ok=NUMBER, errors=CODES, refused=NUMBER, latency=HISTOGRAM, latency_millis=NUMBER,
    batches=HISTOGRAM, busy_micros=NUMBER, input_micros=NUMBER, compute_micros=NUMBER, output_micros=NUMBER,
    failed_millis=CODES, last_millis=NUMBER, cache_hits=NUMBER, cache_misses=NUMBER,
)  # fmt: skip


@given(value=st.integers(0, 1 << 40), buckets=st.integers(2, 20))
def test_a_value_lies_in_the_first_bucket_that_holds_it(value, buckets):
    """Bounds are powers of two; the last bucket takes all others."""
    limits = [1 << number for number in range(buckets - 1)]
    assert place(value, buckets) == next((at for at, limit in enumerate(limits) if value <= limit), buckets - 1)
    assert list(bounds(buckets)) == [*map(str, limits), "+Inf"]


@given(parts=st.lists(COUNTS, max_size=5))
def test_counts_add_up(parts):
    """Each figure of the sum is the sum of the figures, in any order."""
    forward, back = Statistics(), Statistics()
    for part in parts:
        merge(forward, Statistics(primary=part))
    for part in reversed(parts):
        merge(back, Statistics(primary=part))
    assert forward == back
    total = forward.primary
    for field in Counts.DESCRIPTOR.fields:
        if field.type == field.TYPE_INT64 and not field.is_repeated and field.name != "last_millis":
            assert getattr(total, field.name) == sum(getattr(part, field.name) for part in parts), field.name
    assert total.last_millis == max((part.last_millis for part in parts), default=0)
    assert sum(total.failed_millis.values()) == sum(sum(part.failed_millis.values()) for part in parts)
    assert sum(total.latency) == sum(sum(part.latency) for part in parts)
    assert answered_by(total) == sum(answered_by(part) for part in parts)


def test_codes_beyond_many_are_counted_together():
    """A user's function may answer with any text; those known before go on by themselves."""
    codes: dict[str, int] = {}
    for number in range(3 * MOST_CODES):
        add_codes(codes, {f"e{number}": 1})
    add_codes(codes, {"e0": 5})
    assert (len(codes), codes["e0"], sum(codes.values())) == (MOST_CODES + 1, 6, 3 * MOST_CODES + 5)


def test_what_a_call_answered_is_counted():
    """Each message with the age of its first request, each call of the model with its size."""
    statistics = Statistics(primary=Counts(ok=1, latency=[1]))
    counts = statistics.primary
    note(statistics, Answered(ok=2, errors={"internal": 1}, busy_micros=9, waited=[3, 2, 9999, 1], sizes=[2, 1, 700]))
    assert (counts.ok, dict(counts.errors), counts.busy_micros) == (3, {"internal": 1}, 9)
    assert (list(counts.latency), counts.latency_millis) == ([1, 0, 2, *[0] * 11, 1], 3 + 3 + 9999)
    assert list(counts.batches) == [1, 1, *[0] * 8, 1]


def test_where_the_time_went_is_counted():
    """Stage by stage, failures by code; the last answer is the latest, in whatever order the lanes report."""
    statistics = Statistics()
    for latest in (500, 400):
        split = {"input_micros": 1, "compute_micros": 20, "output_micros": 3, "cache_hits": 4, "cache_misses": 5}
        note(statistics, Answered(ok=9, last_millis=latest, failed_millis={"internal": 7}, **split))
    note(statistics, Answered(errors={"internal": 1}))
    told = counts_view(statistics.primary)
    assert told["stage_micros"] == {"input": 2, "compute": 40, "output": 6}
    assert (told["failed_ms"], told["last_inference"]) == ({"internal": 14}, 500)
    assert told["cache"] == {"hits": 8, "misses": 10}


def test_counts_of_before_have_no_stages():
    """State that was kept by a release that did not know them reads as zeros, and goes on from there."""
    old = Statistics(primary=Counts(ok=5, latency_millis=9, busy_micros=7)).SerializeToString()
    statistics = Statistics.FromString(old)
    note(statistics, Answered(ok=1, compute_micros=3, last_millis=8))
    assert counts_view(statistics.primary)["stage_micros"] == {"input": 0, "compute": 3, "output": 0}
    assert (statistics.primary.ok, statistics.primary.busy_micros) == (6, 7)


def test_readers_see_buckets_that_are_not_empty():
    """By their upper bound; a blank count reads as zeros."""
    counts = Counts(requests=5, ok=2, errors={"internal": 1}, refused=2, latency=[0, 2, *[0] * 14, 1], batches=[3])
    assert counts_view(counts) == {
        "requests": 5, "ok": 2, "errors": {"internal": 1}, "refused": 2,
        "latency_ms": {"sum": 0, "buckets": {"2": 2, "+Inf": 1}}, "batch_sizes": {"1": 3}, "busy_ms": 0,
        "stage_micros": {"input": 0, "compute": 0, "output": 0}, "failed_ms": {}, "last_inference": 0,
        "cache": {"hits": 0, "misses": 0},
    }  # fmt: skip
    assert len(list(bounds(LATENCY_BUCKETS))) == LATENCY_BUCKETS
    assert counts_view(Counts())["requests"] == 0
