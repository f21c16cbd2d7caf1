"""What a rollout is asked to do, checked."""

from __future__ import annotations

import pytest

from scurry.registry.rollout_plan import check_rollout
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Rollout


def test_what_is_left_out_is_filled_in():
    """Guards are not: one that nobody asked for is not kept."""
    plan = Rollout(version="2")
    check_rollout(plan)
    assert list(plan.steps) == [1, 5, 25, 100]
    assert (plan.hold_ms, plan.min_requests, plan.compare_percent) == (600_000, 100, 10)
    assert not any(plan.HasField(name) for name in ("max_error_rate", "max_latency_ratio", "max_disagreement"))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"steps": [5, 5]}, "steps"),
        ({"steps": [0, 5]}, "steps"),
        ({"steps": [5, 101]}, "steps"),
        ({"steps": [float("nan"), 5]}, "steps"),
        ({"steps": [1 + at / 10 for at in range(101)]}, "steps"),
        ({"hold_ms": -1}, "hold_ms"),
        ({"hold_ms": 31_536_000_001}, "hold_ms must be from 1 to 31536000000, which is a year"),
        ({"min_requests": 2**31}, "min_requests"),
        ({"compare_percent": 101}, "compare_percent"),
        ({"max_error_rate": 1.5}, "max_error_rate"),
        ({"max_disagreement": -0.1}, "max_disagreement"),
        ({"max_latency_ratio": float("nan")}, "max_latency_ratio"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(fields, named):
    """The sentence says which field."""
    with pytest.raises(InvalidRequest, match=f"rollout.*{named}"):
        check_rollout(Rollout(version="2", **fields))
