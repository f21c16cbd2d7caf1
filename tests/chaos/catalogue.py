"""The faults by name, and which of them must never restart the job."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos import faults
from tests.chaos.faults import Fault

FAULTS: Mapping[str, Fault] = {
    "kill-worker": faults.kill_worker,
    "kill-workers": faults.kill_workers,
    "kill-functions": faults.kill_functions,
    "kill-job": faults.kill_job,
    "kill-gateway": faults.kill_gateway,
    "kill-redis": faults.kill_redis,
    "kill-redis-always": faults.kill_redis_always,
    "kill-up": faults.kill_up,
    "stop-any": faults.stop_any,
    "stop-worker": faults.stop_worker,
}

HARMLESS = frozenset({"kill-worker", "kill-workers", "kill-gateway", "stop-worker"})
"""Whatever happens to workers and doors, the job goes on."""
