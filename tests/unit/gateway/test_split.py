"""Where the time of a version's requests went."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scurry.gateway.split import Split, split_of

TIME = st.integers(0, 1 << 50)


@given(
    whole=TIME,
    failed=st.dictionaries(st.sampled_from(["internal", "model_failed"]), TIME),
    stages=st.fixed_dictionaries({}, optional=dict.fromkeys(("input", "compute", "output"), TIME)),
)
def test_the_stages_are_the_time_of_what_was_answered(whole, failed, stages):
    """Whatever was counted: nothing is negative, and no stage has more than it was told to have."""
    split = split_of({"latency_ms": {"sum": whole}, "failed_ms": failed, "stage_micros": stages})
    assert split.queue + split.input + split.compute + split.output == split.success
    assert split.success + split.failed == 1000 * whole
    assert min(split) >= 0
    for stage in ("input", "compute", "output"):
        assert getattr(split, stage) <= stages.get(stage, 0)


def test_the_rest_is_the_queue():
    """In microseconds, and without what failed."""
    version = {"latency_ms": {"sum": 40}, "failed_ms": {"internal": 4},
               "stage_micros": {"input": 1_000, "compute": 20_000, "output": 2_000}}  # fmt: skip
    assert split_of(version) == Split(36_000, 4_000, 13_000, 1_000, 20_000, 2_000)


def test_what_computed_longer_than_requests_took_is_cut():
    """The model's own time is the last that gives way."""
    version = {"latency_ms": {"sum": 1}, "stage_micros": {"input": 300, "compute": 900, "output": 300}}
    assert split_of(version) == Split(1_000, 0, 0, 100, 900, 0)


def test_an_old_record_has_no_stages():
    """All of its time is the queue's; a version that nobody asked has nothing at all."""
    assert split_of({"latency_ms": {"sum": 7}, "busy_ms": 5}) == Split(7_000, 0, 7_000, 0, 0, 0)
    assert split_of({}) == Split(0, 0, 0, 0, 0, 0)
