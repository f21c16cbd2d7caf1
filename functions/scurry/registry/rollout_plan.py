"""What a rollout is asked to do, checked, and what it does by itself."""

from __future__ import annotations

from typing import Final

from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Rollout

STEPS: Final = (1.0, 5.0, 25.0, 100.0)
HOLD_MS: Final = 600_000
MIN_REQUESTS: Final = 100
COMPARE_PERCENT: Final = 10.0
"""What a rollout does unless it is told otherwise."""
MOST_STEPS: Final = 100
LONGEST_HOLD_MS: Final = 365 * 24 * 3_600_000
MOST: Final = {"max_error_rate": 1, "max_disagreement": 1, "max_latency_ratio": 1000}
"""The guards, and what they may be at most."""


def check_rollout(plan: Rollout) -> None:
    """Fill in what was left out. Raises `InvalidRequest` that names the field."""
    steps = list(plan.steps or STEPS)
    plan.steps[:] = steps
    if sorted(set(steps)) != steps or not (steps[0] >= 0.01 and steps[-1] <= 100) or len(steps) > MOST_STEPS:
        raise _bad(f"steps must grow, from 0.01 to 100 percent, in at most {MOST_STEPS} steps")
    plan.hold_ms, plan.min_requests = plan.hold_ms or HOLD_MS, plan.min_requests or MIN_REQUESTS
    plan.compare_percent = plan.compare_percent or COMPARE_PERCENT
    if not 0 < plan.hold_ms <= LONGEST_HOLD_MS:
        raise _bad(f"hold_ms must be from 1 to {LONGEST_HOLD_MS}, which is a year")
    if not 0 < plan.min_requests < 2**31:
        raise _bad(f"min_requests must be from 1 to {2**31 - 1}")
    if not 0 < plan.compare_percent <= 100:
        raise _bad("compare_percent must be above 0 and at most 100")
    for name, most in MOST.items():
        if not 0 <= getattr(plan, name) <= most:
            raise _bad(f"{name} must be from 0 to {most}")


def _bad(what: str) -> InvalidRequest:
    return InvalidRequest("bad_request", f"Registry message: rollout.{what}.")
