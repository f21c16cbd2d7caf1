"""A model's record as readers see it."""

from __future__ import annotations

import json
from typing import Any

from scurry.registry import bindings, former, lanes, limits
from scurry.registry.record import STATES, serving_spec, takes_requests, weights_of
from scurry.wire.messages_pb2 import (
    READY,
    Record,
    RolloutRecord,
    RolloutState,
    Signature,
    TensorSpec,
    VersionRecord,
)
from scurry.wire.policies import policy_view
from scurry.wire.pools import DEFAULT_POOL
from scurry.wire.statistics import comparisons_view, counts_view


def view(record: Record) -> str:
    """The record as readers see it; empty when no version is left."""
    if not record.versions:
        return ""
    body = {
        "model": record.model,
        "epoch": record.epoch,
        "experiment": record.experiment,
        "versions": [_version_view(record, entry) for entry in record.versions],
        **routing_view(record),
        "unrouted": dict(sorted(record.unrouted.items())),
        "shadow": _shadow_view(record),
    }
    if record.HasField("rollout"):
        body["rollout"] = rollout_view(record.rollout)
    return json.dumps(body, separators=(",", ":"))


def routing_view(record: Record) -> dict[str, Any]:
    """How requests find a version: `routes` are the shares in effect, `weights` the split that was asked for."""
    return {
        "routes": weights_of(record),
        "aliases": dict(sorted(record.aliases.items())),
        "weights": dict(sorted(record.weights.items())),
        "policy": policy_view(record.policy),
        "rollbacks": former.depth(record),
        "limits": limits.view(record),
        "lanes": {name: getattr(record.lanes, name) for name in ("min", "max") if getattr(record.lanes, name)},
        "streams": bindings.view(record),
    }


def rollout_view(rollout: RolloutRecord) -> dict[str, Any]:
    """A rollout and where it stands."""
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


def declared_view(entry: VersionRecord) -> dict[str, Any]:
    """What was asked for under a version's name, and what came of it."""
    spec = serving_spec(entry)
    body = {
        "version": entry.version,
        "state": STATES[READY] if takes_requests(entry) else STATES[entry.state],
        "uri": spec.uri,
        "runtime": spec.runtime,
        "config": json.loads(spec.config or "{}"),
        "route": not entry.unrouted,
        "pinned": spec.pinned,
        "reason": entry.message,
    }
    if entry.resting:
        body["unloaded_by"] = "policy" if entry.laid_down else "request"
    return body


def _version_view(record: Record, entry: VersionRecord) -> dict[str, Any]:
    spec = serving_spec(entry)
    body = {
        **declared_view(entry),
        **counts_view(entry.statistics.primary),
        "generation": spec.generation,
        "identity": spec.identity,
        "fingerprint": spec.fingerprint,
        "signature": _signature_view(entry.signature),
        "bytes": entry.bytes,
        "device": entry.device,
        "isolated": entry.isolated,
        "max_batch_size": spec.max_batch_size,
        "lanes": lanes.view(record.lanes, spec.config, entry.lanes),
        "warnings": list(entry.warnings),
    }
    if entry.sequences:
        body["sequences"] = True
    if not entry.function:
        body["pool"] = spec.pool or DEFAULT_POOL
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
    body = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
    return {**body, "labels": list(tensor.labels)} if tensor.labels else body
