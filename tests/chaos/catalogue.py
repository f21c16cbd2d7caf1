"""The faults by name, and which of them must never restart the job."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos import http_poison, poisoning, processes, storage
from tests.chaos.scene import Fault

FAULTS: Mapping[str, Fault] = {
    "kill-worker": processes.kill_worker,
    "kill-workers": processes.kill_workers,
    "kill-functions": processes.kill_functions,
    "kill-job": processes.kill_job,
    "kill-gateway": processes.kill_gateway,
    "kill-up": processes.kill_up,
    "stop-any": processes.stop_any,
    "stop-worker": processes.stop_worker,
    "kill-redis": storage.kill_redis,
    "kill-redis-always": storage.kill_redis_always,
    "cut-connections": storage.cut_connections,
    "pause-redis": storage.pause_redis,
    "fill-redis": storage.fill_redis,
    "damage-checkpoint": storage.damage_checkpoint,
    "fill-disk": storage.fill_disk,
    "poison-requests": poisoning.poison_requests,
    "poison-entries": poisoning.poison_entries,
    "poison-models": poisoning.poison_models,
    "poison-registry": poisoning.poison_registry,
    "poison-http": http_poison.poison_http,
}

OF_WORKERS_AND_CALLERS = ("kill-worker", "stop-worker", "kill-gateway", "poison")
HARMLESS = frozenset(name for name in FAULTS if name.startswith(OF_WORKERS_AND_CALLERS))
"""Whatever happens to workers and doors, and whatever callers send, the job goes on."""
