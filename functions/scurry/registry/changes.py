"""The verbs of a registry message, each as a change to a record."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from scurry.registry import rollout
from scurry.registry.record import aliases_of, find, require, require_ready, takes_requests, weights_of
from scurry.registry.steps import Answer, Progress
from scurry.registry.update import FUNCTION_RUNTIME, short
from scurry.wire.errors import InvalidRequest, NotFound, Unavailable
from scurry.wire.messages_pb2 import DRAINING, FAILED, LOADING, READY, ModelSpec, Record, Shadow, Update, VersionRecord
from scurry.wire.names import MODEL_NAME

MAX_BATCH_SIZE: Final = 32
MOST_WEIGHT: Final = 2**31


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
    if entry is None:
        entry = record.versions.add(version=version)
    _respec(progress, entry, update)
    _start(progress, entry, update)
    return "applied"


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
    entry.spec.identity = identity_of(update, entry)


def identity_of(update: Update, entry: VersionRecord) -> str:
    """A name that no other registration has: entries are unique in a stream, generations in a model's record."""
    spec = entry.spec
    parts = (update.entry or update.id, update.model, entry.version, spec.uri, spec.runtime, spec.config)
    return sha256(json.dumps([*parts, spec.generation]).encode()).hexdigest()[:32]


def _start(progress: Progress, entry: VersionRecord, update: Update) -> None:
    """Load it, or, when a function of the user's own answers, take it as ready."""
    entry.waiting.append(update)
    if entry.function:
        for name in ("error", "message", "loaded", "signature", "bytes", "device", "losses"):
            entry.ClearField(name)
        progress.become_ready(entry)
    else:
        progress.begin_load(entry)


def _unregister(progress: Progress, update: Update) -> str:
    """Drain what takes requests, drop the rest; answered when all of it is gone."""
    record = progress.record
    name = update.unregister.version
    if not name and not record.versions:
        raise NotFound("model_not_found", f"No model {record.model!r} is registered.")
    entries = [require(record, name)] if name else list(record.versions)
    if name and not update.unregister.force:
        _refuse_in_use(record, entries[0])
    record.sequence += 1
    waits = False
    for version in [entry.version for entry in entries]:
        entry = require(record, version)
        if not progress.begin_drain(entry):
            progress.drop(entry)
        elif not waits:
            entry.waiting.append(update)
            waits = True
    if not waits:
        progress.effects.append(Answer(update))
    return "applied"


def _refuse_in_use(record: Record, entry: VersionRecord) -> None:
    """Raise `InvalidRequest` where requests would go elsewhere, or nowhere, saying where."""
    rest = Record()
    rest.CopyFrom(record)
    rest.versions.remove(entry)
    share, heirs = weights_of(record).get(entry.version, 0), ", ".join(weights_of(rest))
    uses = []
    if share and entry.state != DRAINING:
        heir = f"version {heirs} would get them" if heirs else "no other version is ready to get them"
        uses.append(f"it takes the requests that name no version ({heir})")
    uses += [f"alias {alias!r} stands for it" for alias in aliases_of(record, entry.version)]
    if uses:
        what = f"Version {entry.version!r} of model {record.model!r} is in use: {'; '.join(uses)}."
        raise InvalidRequest("not_allowed", f"{what} Point them elsewhere first, or send force.")


def _alias(progress: Progress, update: Update) -> str:
    record, alias, name = progress.record, update.alias.alias, update.alias.version
    if not MODEL_NAME.fullmatch(alias):
        raise InvalidRequest("bad_request", f"Registry message: alias.alias {short(alias)} is no name.")
    if find(record, alias) is not None:
        raise InvalidRequest("bad_request", f"{alias!r} is a version of model {record.model!r} and cannot be an alias.")
    if name:
        entry = require(record, name)
        if entry.state == DRAINING:
            raise NotFound("version_not_found", f"Version {name!r} of model {record.model!r} is draining.")
        record.aliases[alias] = entry.version
    elif alias in record.aliases:
        del record.aliases[alias]
    else:
        require(record, alias)
    return _applied(progress, update)


def _split(progress: Progress, update: Update) -> str:
    record = progress.record
    weights: dict[str, int] = {}
    for name, weight in update.split.weights.items():
        if weight < 0:
            raise InvalidRequest(
                "bad_request", f"Registry message: split.weights.{name[:64]} must be a whole number from 0."
            )
        version = require_ready(record, name).version
        weights[version] = weights.get(version, 0) + weight
        if weights[version] >= MOST_WEIGHT:
            raise InvalidRequest(
                "bad_request", f"Registry message: split.weights.{version} may be at most {MOST_WEIGHT - 1} in all."
            )
    if not sum(weights.values()):
        raise InvalidRequest("bad_request", "Registry message: split.weights needs at least one weight above 0.")
    return _reweigh(progress, update, weights)


def _promote(progress: Progress, update: Update) -> str:
    entry = require_ready(progress.record, update.promote.version)
    return _reweigh(progress, update, {entry.version: 1})


def _rollback(progress: Progress, update: Update) -> str:
    record = progress.record
    if not record.versions:
        raise NotFound("model_not_found", f"No model {record.model!r} is registered.")
    weights = {
        entry.version: record.previous.get(entry.version, 0) for entry in record.versions if takes_requests(entry)
    }
    if not sum(weights.values()):
        raise InvalidRequest("bad_request", f"Model {record.model!r} has no former routes to go back to.")
    return _reweigh(progress, update, weights)


def _shadow(progress: Progress, update: Update) -> str:
    """Copies for one version at a time; without a version for none any more."""
    record, shadow = progress.record, update.shadow
    if not shadow.version:
        record.ClearField("shadow")
        return _applied(progress, update)
    entry = require_ready(record, shadow.version)
    if entry.function:
        raise InvalidRequest("bad_request", "Registry message: shadow.version is a user function: it gets no copies.")
    if not 0 < shadow.percent <= 100:
        raise InvalidRequest("bad_request", "Registry message: shadow.percent must be above 0 and at most 100.")
    record.shadow.CopyFrom(Shadow(version=entry.version, percent=shadow.percent))
    return _applied(progress, update)


def _reweigh(progress: Progress, update: Update, weights: dict[str, int]) -> str:
    progress.record.weights.clear()
    progress.record.weights.update({version: weight for version, weight in weights.items() if weight > 0})
    return _applied(progress, update)


def _applied(progress: Progress, update: Update) -> str:
    progress.record.sequence += 1
    progress.effects.append(Answer(update))
    return "applied"


_VERBS: Final[dict[str, Callable[[Progress, Update], str]]] = {
    "register": _register,
    "unregister": _unregister,
    "alias": _alias,
    "split": _split,
    "promote": _promote,
    "rollback": _rollback,
    "shadow": _shadow,
    "rollout": rollout.begin,
}
