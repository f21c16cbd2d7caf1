"""The verbs of a registry message, each as a change to a record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from scurry.registry.record import find, require, require_ready, takes_requests
from scurry.registry.steps import Answer, Progress
from scurry.registry.update import FUNCTION_RUNTIME, short
from scurry.wire.errors import InvalidRequest, NotFound, Unavailable
from scurry.wire.messages_pb2 import DRAINING, LOADING, READY, ModelSpec, Record, Register, Update, VersionRecord
from scurry.wire.names import MODEL_NAME

MAX_BATCH_SIZE: Final = 32
MOST_WEIGHT: Final = 2**31


def apply(progress: Progress, update: Update) -> str:
    """Carry out a checked registry message; returns its outcome. Raises `ScurryError`, leaving the record alone."""
    return _VERBS[update.WhichOneof("change") or ""](progress, update)


def _register(progress: Progress, update: Update) -> str:
    """Add a version or replace its spec.

    1. The same spec again: answered at once when ready, joined to those who wait when loading, tried again when failed.
    2. Another spec: a version that takes requests goes on with the former one until the new one is loaded.
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
    same = entry is not None and _same_spec(entry, register)
    if entry is not None and same and entry.state == READY:
        progress.effects.append(Answer(update))
        return "unchanged"
    if entry is not None and same and entry.state == LOADING:
        entry.waiting.append(update)
        return "unchanged"
    if entry is None:
        entry = record.versions.add(version=version, update=update.id)
    _respec(progress, entry, register)
    _start(progress, entry, update)
    return "applied"


def _same_message(record: Record, update: Update) -> str:
    """The version that this very message made before: sent twice it makes one version."""
    return next((entry.version for entry in record.versions if update.id and entry.update == update.id), "")


def _next_version(record: Record) -> str:
    numbers = [int(entry.version) for entry in record.versions if entry.version.isdecimal()]
    return str(max(numbers, default=0) + 1)


def _same_spec(entry: VersionRecord, register: Register) -> bool:
    spec = entry.spec
    runtime_agrees = register.runtime in ("", spec.runtime)
    return (spec.uri, spec.config) == (register.uri, register.config) and runtime_agrees


def _respec(progress: Progress, entry: VersionRecord, register: Register) -> None:
    """Give the version what was registered, with a generation of its own."""
    progress.answer_waiting(entry, "load_failed", "Replaced by another registration before it was loaded.")
    if takes_requests(entry) and not entry.HasField("serving") and not entry.function:
        entry.serving.CopyFrom(entry.spec)
    progress.record.sequence += 1
    entry.function = register.uri if register.runtime == FUNCTION_RUNTIME else ""
    entry.spec.CopyFrom(
        ModelSpec(
            uri=register.uri,
            runtime=register.runtime,
            config=register.config,
            generation=progress.record.sequence,
            max_batch_size=json.loads(register.config or "{}").get("max_batch_size", MAX_BATCH_SIZE),
        )
    )


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
}
