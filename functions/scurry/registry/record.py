"""The record of one model: its versions, and which take requests."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from scurry.wire.errors import NotFound, Unavailable
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    REGISTERED,
    RETIRED,
    RUNNING,
    ModelSpec,
    Record,
    RolloutRecord,
    RolloutState,
    Routes,
    Signature,
    TensorSpec,
    VersionRecord,
)
from scurry.wire.statistics import comparisons_view, counts_view

STATES: Final = {
    REGISTERED: "registered",
    LOADING: "loading",
    READY: "ready",
    DRAINING: "draining",
    RETIRED: "retired",
    FAILED: "failed",
}


def load(value: bytes | None, model: str) -> Record:
    """The record kept for a model, or a blank one."""
    return Record.FromString(value) if value else Record(model=model)


def find(record: Record, version: str) -> VersionRecord | None:
    """A version by its own name."""
    return next((entry for entry in record.versions if entry.version == version), None)


def takes_requests(entry: VersionRecord) -> bool:
    """Ready, or still serving its former spec while a changed one is loading."""
    return entry.state == READY or (entry.state == LOADING and entry.HasField("serving"))


def aliases_of(record: Record, version: str) -> list[str]:
    """The other names of a version."""
    return sorted(alias for alias, named in record.aliases.items() if named == version)


def require(record: Record, name: str) -> VersionRecord:
    """The version behind a name or alias. Raises `NotFound`."""
    entry = find(record, record.aliases.get(name, name))
    if entry is None:
        if not record.versions:
            raise NotFound("model_not_found", f"No model {record.model!r} is registered.")
        raise NotFound("version_not_found", f"Model {record.model!r} has no version or alias {name[:64]!r}.")
    return entry


def require_ready(record: Record, name: str) -> VersionRecord:
    """The version behind a name, if it takes requests. Raises `NotFound` or `Unavailable`."""
    entry = require(record, name)
    if not takes_requests(entry):
        state = STATES[entry.state]
        raise Unavailable("model_not_ready", f"Version {name!r} of model {record.model!r} is {state}, not ready.")
    return entry


def weights_of(record: Record) -> dict[str, int]:
    """How requests that name no version are shared: the explicit split, else the newest version that is ready."""
    able = [entry.version for entry in record.versions if takes_requests(entry)]
    explicit = {version: record.weights[version] for version in able if record.weights.get(version, 0) > 0}
    return explicit or ({able[-1]: 1} if able else {})


def serving_spec(entry: VersionRecord) -> ModelSpec:
    """The spec by which the version answers now."""
    return entry.serving if entry.HasField("serving") else entry.spec


@lru_cache(maxsize=1024)
def queue_size(config: str) -> int:
    """Requests that may wait for a version, by its options; 0: they do not say."""
    policy = json.loads(config or "{}").get("dynamic_batching", {}).get("default_queue_policy", {})
    return int(policy.get("max_queue_size", 0))


def routes_of(record: Record) -> Routes:
    """What the router must know."""
    routes = Routes(epoch=record.epoch, aliases=record.aliases)
    weights = weights_of(record)
    for entry in record.versions:
        if takes_requests(entry) or entry.state == DRAINING:
            routes.versions.add(
                version=entry.version,
                weight=weights.get(entry.version, 0),
                draining=entry.state == DRAINING,
                spec=serving_spec(entry),
                function=entry.function,
                max_queue_size=queue_size(serving_spec(entry).config),
                tell_every=_tell_every(record, entry),
            )
        if takes_requests(entry) and entry.version == record.shadow.version:
            routes.shadow.CopyFrom(record.shadow)
        if entry.state == FAILED:
            routes.failed.append(entry.version)
        elif entry.state not in (READY, DRAINING):
            routes.pending.append(entry.version)
    return routes


def _tell_every(record: Record, entry: VersionRecord) -> int:
    """What is rolled out is heard of at each tenth of the requests that its guards judge by."""
    rollout = record.rollout
    watched = record.HasField("rollout") and rollout.state == RUNNING and rollout.plan.version == entry.version
    return min(max(1, rollout.plan.min_requests // 10), 1000) if watched else 0


def view(record: Record) -> str:
    """The record as readers see it; empty when no version is left."""
    if not record.versions:
        return ""
    body = {
        "model": record.model,
        "epoch": record.epoch,
        "versions": [_version_view(entry) for entry in record.versions],
        "routes": weights_of(record),
        "aliases": dict(sorted(record.aliases.items())),
        "unrouted": dict(sorted(record.unrouted.items())),
        "shadow": _shadow_view(record),
    }
    if record.HasField("rollout"):
        body["rollout"] = _rollout_view(record.rollout)
    return json.dumps(body, separators=(",", ":"))


def _rollout_view(rollout: RolloutRecord) -> dict[str, Any]:
    plan = rollout.plan
    guards = [name for name in ("max_error_rate", "max_latency_ratio", "max_disagreement") if plan.HasField(name)]
    return {
        "version": plan.version,
        "state": RolloutState.Name(rollout.state).lower(),
        "step": rollout.step + 1,
        "steps": list(plan.steps),
        "percent": plan.steps[rollout.step],
        "hold_ms": plan.hold_ms,
        "min_requests": plan.min_requests,
        "guards": {name: getattr(plan, name) for name in guards},
        "message": rollout.message,
    }


def _shadow_view(record: Record) -> dict[str, Any]:
    """Versions that get copies or got some; `percent` is 0 for those that get none now."""
    return {
        entry.version: {
            "percent": record.shadow.percent if entry.version == record.shadow.version else 0,
            **comparisons_view(entry.statistics.shadow),
        }
        for entry in record.versions
        if entry.version == record.shadow.version or entry.statistics.HasField("shadow")
    }


def _version_view(entry: VersionRecord) -> dict[str, Any]:
    spec = serving_spec(entry)
    body = {
        "version": entry.version,
        "state": STATES[READY] if takes_requests(entry) else STATES[entry.state],
        **counts_view(entry.statistics.primary),
        "uri": spec.uri,
        "runtime": spec.runtime,
        "config": json.loads(spec.config or "{}"),
        "generation": spec.generation,
        "identity": spec.identity,
        "fingerprint": spec.fingerprint,
        "signature": _signature_view(entry.signature),
        "bytes": entry.bytes,
        "device": entry.device,
        "max_batch_size": spec.max_batch_size,
        "reason": entry.message,
        "warnings": list(entry.warnings),
    }
    if entry.HasField("serving"):
        body["replacement"] = {"uri": entry.spec.uri, "generation": entry.spec.generation, "state": STATES[entry.state]}
    return body


def _signature_view(signature: Signature) -> dict[str, Any]:
    return {
        "inputs": [_tensor_view(tensor) for tensor in signature.inputs],
        "outputs": [_tensor_view(tensor) for tensor in signature.outputs],
        "batched": signature.batched,
    }


def _tensor_view(tensor: TensorSpec) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
