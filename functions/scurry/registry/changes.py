"""The verbs of a registry message, each as a change to a record."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from scurry.registry import bindings, bounds, former, leaving, memory, policies, pools, rollout, shelving, switching
from scurry.registry.record import find, require, require_model, require_ready, takes_requests
from scurry.registry.steps import Answer, Progress
from scurry.registry.update import FUNCTION_RUNTIME
from scurry.registry.usage import refuse_copies, refuse_in_use
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    ModelSpec,
    Record,
    Register,
    Shadow,
    Update,
    VersionRecord,
)

MAX_BATCH_SIZE: Final = 32


def apply(progress: Progress, update: Update) -> str:
    """Carry out a checked registry message; returns its outcome. Raises `ScurryError`, leaving the record alone."""
    return _VERBS[update.WhichOneof("change") or ""](progress, update)


def _register(progress: Progress, update: Update) -> str:
    """Add a version or replace what stands under its name: a registration of its own, however alike they are.

    1. The same message again: answered as it was, or joined to those who wait.
    2. A version that takes requests goes on with the former registration until the new one is loaded.
    """
    record, register = progress.record, update.register
    version = register.version or _same_message(record, update) or _next_version(record)
    entry = find(record, version)
    if entry is None and version in record.aliases:
        raise InvalidRequest(
            "bad_request", f"{version!r} is an alias of model {record.model!r} and cannot be a version."
        )
    if entry is not None and entry.state == DRAINING:
        raise Unavailable(
            "model_not_ready", f"Version {version!r} of model {record.model!r} is draining; try again soon."
        )
    if entry is not None and update.id and entry.update == update.id and entry.state in (READY, LOADING):
        if entry.state == READY:
            progress.effects.append(Answer(update))
        else:
            entry.waiting.append(update)
        return "unchanged"
    pools.refuse_move(record, entry, register.config)
    if entry is None:
        entry = record.versions.add(version=version, unrouted=_unrouted(register))
    elif not _unrouted(register):
        entry.unrouted = False
    register.version = version  # as the audit tells it
    _respec(progress, entry, update)
    policies.adopt(record, register.config)
    _start(progress, entry, update)
    return "applied"


def _unrouted(register: Register) -> bool:
    return register.HasField("route") and not register.route


def _same_message(record: Record, update: Update) -> str:
    """The version that this very message made before: sent twice it makes one version."""
    return next((entry.version for entry in record.versions if update.id and entry.update == update.id), "")


def _next_version(record: Record) -> str:
    """One more than the largest number; what failed to load has used none up."""
    numbers = [int(e.version) for e in record.versions if e.version.isdecimal() and e.state != FAILED]
    return str(max(numbers, default=0) + 1)


def _respec(progress: Progress, entry: VersionRecord, update: Update) -> None:
    """Give the version what was registered, with a generation and an identity of its own."""
    register = update.register
    progress.answer_waiting(entry, "load_failed", "Replaced by another registration before it was loaded.")
    if takes_requests(entry) and not entry.HasField("serving") and not entry.function:
        entry.serving.CopyFrom(entry.spec)
    elif entry.state == LOADING:
        progress.unload(entry, entry.spec)
    progress.record.sequence += 1
    entry.update = update.id
    entry.function = register.uri if register.runtime == FUNCTION_RUNTIME else ""
    entry.spec.CopyFrom(
        ModelSpec(
            uri=register.uri,
            runtime=register.runtime,
            config=register.config,
            generation=progress.record.sequence,
            max_batch_size=max(1, json.loads(register.config or "{}").get("max_batch_size", MAX_BATCH_SIZE)),
        )
    )
    entry.spec.identity, entry.spec.pool = identity_of(update, entry), pools.of_config(register.config)
    entry.spec.pinned = entry.pinned if entry.HasField("pinned") else shelving.is_pinned(register.config)
    entry.resting = entry.laid_down = False


def identity_of(update: Update, entry: VersionRecord) -> str:
    """A name that no other registration has: entries are unique in a stream, generations in a model's record."""
    spec = entry.spec
    parts = (update.entry or update.id, update.model, entry.version, spec.uri, spec.runtime, spec.config)
    return sha256(json.dumps([*parts, spec.generation]).encode()).hexdigest()[:32]


def _start(progress: Progress, entry: VersionRecord, update: Update) -> None:
    """Load it, or, when a function of the user's own answers, take it as ready."""
    entry.waiting.append(update)
    if progress.serves(entry) or policies.lets(progress.record, entry):
        shelving.start(progress, entry)
    else:
        shelving.lie_down(progress, entry, laid_down=True)


def _unregister(progress: Progress, update: Update) -> str:
    """Drain what takes requests, drop the rest; answered when all of it is gone."""
    record = progress.record
    name = update.unregister.version
    require_model(record)
    entries = [require(record, name)] if name else list(record.versions)
    if name and not update.unregister.force:
        refuse_in_use(record, entries[0])
    record.sequence += 1
    waits = False
    for version in [entry.version for entry in entries]:
        entry = require(record, version)
        if not leaving.begin_drain(progress, entry):
            leaving.drop(progress, entry)
        elif not waits:
            entry.waiting.append(update)
            waits = True
    if not waits:
        progress.effects.append(Answer(update))
    return "applied"


def _alias(progress: Progress, update: Update) -> str:
    switching.point(progress.record, update.alias.alias, update.alias.version, "alias.alias")
    return progress.applied(update)


def _split(progress: Progress, update: Update) -> str:
    return _reweigh(progress, update, switching.checked_weights(progress.record, update.split.weights, "split"))


def _promote(progress: Progress, update: Update) -> str:
    entry = require_ready(progress.record, update.promote.version)
    return _reweigh(progress, update, {entry.version: 1})


def _reweigh(progress: Progress, update: Update, weights: dict[str, int]) -> str:
    progress.record.weights.clear()
    progress.record.weights.update({version: weight for version, weight in weights.items() if weight > 0})
    return progress.applied(update)


def _shadow(progress: Progress, update: Update) -> str:
    """Copies for one version at a time; without a version for none any more."""
    record, shadow = progress.record, update.shadow
    if rollout.running(record) and record.rollout.plan.HasField("max_disagreement"):
        sentence = f"Version {record.rollout.plan.version!r} is the shadow while it is rolled out: abort that first."
        raise InvalidRequest("not_allowed", sentence)
    if not shadow.version:
        record.ClearField("shadow")
        return progress.applied(update)
    entry = require_ready(record, shadow.version)
    refuse_copies(entry, "shadow.version")
    if not 0 < shadow.percent <= 100:
        raise InvalidRequest("bad_request", "Registry message: shadow.percent must be above 0 and at most 100.")
    record.shadow.CopyFrom(Shadow(version=entry.version, percent=shadow.percent))
    return progress.applied(update)


_VERBS: Final[dict[str, Callable[[Progress, Update], str]]] = {
    "register": _register,
    "unregister": _unregister,
    "alias": _alias,
    "split": _split,
    "promote": _promote,
    "rollback": former.roll_back,
    "routes": switching.switch,
    "load": memory.load,
    "unload": memory.unload,
    "pin": memory.pin,
    "policy": policies.set_policy,
    "limits": bounds.limit,
    "lanes": bounds.set_lanes,
    "shadow": _shadow,
    "rollout": rollout.begin,
    "bind": bindings.bind,
}
