"""Where requests go: aliases, shares, and both at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.registry.record import find, require, require_model, require_ready
from scurry.registry.steps import Progress
from scurry.registry.update import short
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.messages_pb2 import DRAINING, Record, Update
from scurry.wire.names import MODEL_NAME

MOST_WEIGHT: Final = 2**31


def point(record: Record, alias: str, name: str, field: str) -> None:
    """Let an alias stand for a version, or for none. Raises `ScurryError`."""
    if not MODEL_NAME.fullmatch(alias):
        raise InvalidRequest("bad_request", f"Registry message: {field} {short(alias)} is no name.")
    if find(record, alias) is not None:
        raise InvalidRequest("bad_request", f"{alias!r} is a version of model {record.model!r} and cannot be an alias.")
    if name:
        entry = require(record, name)
        if entry.state == DRAINING and not entry.resting:
            raise NotFound("version_not_found", f"Version {name!r} of model {record.model!r} is draining.")
        record.aliases[alias] = entry.version
    elif alias in record.aliases:
        del record.aliases[alias]
    else:
        require(record, alias)


def checked_weights(record: Record, said: Mapping[str, int], verb: str) -> dict[str, int]:
    """Weights by version. Raises `ScurryError` for what takes no requests, and for weights that share nothing."""
    weights: dict[str, int] = {}
    for name, weight in said.items():
        if weight < 0:
            sentence = f"Registry message: {verb}.weights.{name[:64]} must be a whole number from 0."
            raise InvalidRequest("bad_request", sentence)
        version = require_ready(record, name).version
        weights[version] = weights.get(version, 0) + weight
        if weights[version] >= MOST_WEIGHT:
            sentence = f"Registry message: {verb}.weights.{version} may be at most {MOST_WEIGHT - 1} in all."
            raise InvalidRequest("bad_request", sentence)
    if not sum(weights.values()):
        raise InvalidRequest("bad_request", f"Registry message: {verb}.weights needs at least one weight above 0.")
    return weights


def switch(progress: Progress, update: Update) -> str:
    """The verb: shares and aliases in one change, or none of it. Names are read as they stood before."""
    record, wanted = progress.record, update.routes
    if wanted.automatic and wanted.weights:
        raise InvalidRequest("bad_request", "Registry message: routes has weights or is automatic, not both.")
    if not (wanted.automatic or wanted.weights or wanted.aliases or wanted.routed):
        raise InvalidRequest("bad_request", "Registry message: routes needs weights, aliases, routed or automatic.")
    require_model(record)
    weights = checked_weights(record, wanted.weights, "routes") if wanted.weights else {}
    before = dict(record.aliases)
    for alias, name in wanted.aliases.items():
        point(record, alias, before.get(name, name), f"routes.aliases.{alias[:64]}")
    for name in wanted.routed:
        require(record, name).unrouted = False
    if weights or wanted.automatic:
        record.weights.clear()
        record.weights.update({version: weight for version, weight in weights.items() if weight > 0})
    return progress.applied(update)
