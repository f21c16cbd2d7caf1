"""The record of one model: its versions, and which take requests."""

from __future__ import annotations

from typing import Final

from scurry.registry import lanes
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
    Routes,
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


def require_model(record: Record) -> None:
    """Raise `NotFound` when no version of it is registered."""
    if not record.versions:
        raise NotFound("model_not_found", f"No model {record.model!r} is registered.")


def require(record: Record, name: str) -> VersionRecord:
    """The version behind a name or alias. Raises `NotFound`."""
    entry = find(record, record.aliases.get(name, name))
    if entry is None:
        require_model(record)
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
        if takes_requests(entry) and entry.version == record.shadow.version:
            routes.shadow.CopyFrom(record.shadow)
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
        tell_every=_tell_every(record, entry),
    )
def _tell_every(record: Record, entry: VersionRecord) -> int:
    """What is rolled out is heard of at each tenth of the requests that its guards judge by."""
    rollout = record.rollout
    watched = record.HasField("rollout") and rollout.state == RUNNING and rollout.plan.version == entry.version
    return min(max(1, rollout.plan.min_requests // 10), 1000) if watched else 0
