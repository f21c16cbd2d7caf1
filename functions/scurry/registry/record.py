"""The record of one model: its versions, and which take requests."""

from __future__ import annotations

import json
from typing import Any, Final

from scurry.registry import lanes, limits
from scurry.wire.errors import NotFound, Unavailable
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    REGISTERED,
    RETIRED,
    ModelSpec,
    Policy,
    Record,
    Routes,
    Signature,
    TensorSpec,
    VersionRecord,
    VersionRoute,
)

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
    able = [entry for entry in record.versions if takes_requests(entry)]
    split = record.weights
    explicit = {entry.version: split[entry.version] for entry in able if split.get(entry.version, 0) > 0}
    routed = [entry.version for entry in able if not entry.unrouted]
    return explicit or ({routed[-1]: 1} if routed else {})


def serving_spec(entry: VersionRecord) -> ModelSpec:
    """The spec by which the version answers now."""
    return entry.serving if entry.HasField("serving") else entry.spec


def routes_of(record: Record) -> Routes:
    """What the router must know."""
    routes = Routes(epoch=record.epoch, aliases=record.aliases, experiment=record.experiment)
    routes.max_timeout_microseconds = record.limits.max_timeout_microseconds
    routes.tenants.MergeFrom(record.limits.tenants)
    weights = weights_of(record)
    for entry in record.versions:
        if takes_requests(entry) or entry.state == DRAINING:
            routes.versions.append(_route_of(record, entry, weights.get(entry.version, 0)))
        if entry.state == FAILED:
            routes.failed.append(entry.version)
        elif entry.state == REGISTERED:
            routes.unloaded.append(entry.version)
        elif entry.state not in (READY, DRAINING):
            routes.pending.append(entry.version)
    return routes


def _route_of(record: Record, entry: VersionRecord, weight: int) -> VersionRoute:
    spec, limits = serving_spec(entry), record.limits
    told, count = lanes.configured(spec.config), lanes.in_force(record.lanes, spec.config, entry.lanes)
    return VersionRoute(
        version=entry.version,
        weight=weight,
        draining=entry.state == DRAINING,
        spec=spec,
        function=entry.function,
        max_queue_size=limits.max_queue_size or told.max_queue_size,
        default_timeout_microseconds=limits.default_timeout_microseconds or told.default_timeout_us,
        priority_levels=told.priority_levels,
        default_priority_level=told.default_priority_level,
        lanes=count,
        most_lanes=lanes.span(record.lanes, spec.config)[1] if count else 0,
        sequences=entry.sequences,
    )


def view(record: Record) -> str:
    """The record as readers see it; empty when no version is left."""
    if not record.versions:
        return ""
    body = {
        "model": record.model,
        "epoch": record.epoch,
        "versions": [_version_view(record, entry) for entry in record.versions],
        **routing_view(record),
    }
    return json.dumps(body, separators=(",", ":"))


def routing_view(record: Record) -> dict[str, Any]:
    """How requests find a version: `routes` are the shares in effect, `weights` the split that was asked for."""
    return {
        "routes": weights_of(record),
        "aliases": dict(sorted(record.aliases.items())),
        "weights": dict(sorted(record.weights.items())),
        "policy": policy_view(record.policy),
        "rollbacks": len(record.former) + bool(record.previous),
        "limits": limits.view(record),
        "lanes": {name: getattr(record.lanes, name) for name in ("min", "max") if getattr(record.lanes, name)},
    }


def policy_view(policy: Policy) -> dict[str, Any]:
    """A policy as the verb takes it; empty when there is none."""
    parts = {"latest": policy.latest, "all": policy.all, "specific": list(policy.specific)}
    return {name: value for name, value in parts.items() if value}


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
