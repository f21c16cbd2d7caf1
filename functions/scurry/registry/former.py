"""Routes that were in force before, and going back to them.

They lie on a pile, as what an editor undoes does: each change of the shares or the aliases puts what it replaced on
top, a rollback takes it off and puts nothing on. So rollbacks go further and further back, and one is taken back by
saying what is wanted, which is a change like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.registry.record import find, require_model, takes_requests, weights_of
from scurry.registry.steps import Answer, Progress
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.messages_pb2 import DRAINING, FormerRoutes, Record, Update

MOST: Final = 50
"""So many former routes are kept."""
REMEMBERED: Final = 16
"""So many rollbacks are known again when their message comes twice."""


def depth(record: Record) -> int:
    """How many rollbacks there may be."""
    return len(record.former) + bool(record.previous)


def remember(before: Record, record: Record) -> None:
    """Put the routes of before on the pile if they are others now."""
    weights = weights_of(before)
    changed = weights_of(record) != weights or record.aliases != before.aliases
    if weights and changed and depth(record) >= depth(before):
        record.former.add(weights=weights, aliases=before.aliases)
        record.ClearField("previous")
        del record.former[:-MOST]


def forget(before: Record, record: Record) -> None:
    """Only versions that are there can be gone back to: those that went leave the pile."""
    names = {entry.version for entry in record.versions}
    if {entry.version for entry in before.versions} <= names:
        return
    left: list[FormerRoutes] = []
    for former in record.former:
        one = FormerRoutes(weights=_of(former.weights, names), aliases=_to(former.aliases, names))
        if one.weights and (not left or left[-1] != one):
            left.append(one)
    del record.former[:]
    record.former.extend(left)
    for version in record.previous.keys() - names:
        del record.previous[version]


def _of(weights: Mapping[str, int], names: set[str]) -> dict[str, int]:
    return {version: weight for version, weight in weights.items() if version in names}


def _to(aliases: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {alias: version for alias, version in aliases.items() if version in names and alias not in names}


def roll_back(progress: Progress, update: Update) -> str:
    """The verb: back to the routes before the last change, and further each time."""
    record = progress.record
    require_model(record)
    if update.id and update.id in record.undone:
        progress.effects.append(Answer(update))
        return "unchanged"
    if record.previous:
        record.former.add(weights=record.previous, aliases=record.aliases)
        record.ClearField("previous")
    while record.former:
        if _restore(record, record.former.pop()):
            record.undone[:] = [*record.undone, *([update.id] if update.id else [])][-REMEMBERED:]
            return progress.applied(update)
    raise InvalidRequest("bad_request", f"Model {record.model!r} has no former routes to go back to.")


def _restore(record: Record, former: FormerRoutes) -> bool:
    """Put former routes in force as far as they can be; False when they are those in force."""
    names = {entry.version for entry in record.versions if entry.state != DRAINING or entry.resting}
    weights, aliases = _of(former.weights, names), _to(former.aliases, names)
    able = {version: weight for version, weight in weights.items() if _is_able(record, version)}
    if not weights or (able == weights_of(record) and aliases == dict(record.aliases)):
        return False
    if not able:
        named = ", ".join(sorted(weights))
        sentence = f"The former routes of model {record.model!r} lead to version {named}, which is not ready: load it."
        raise Unavailable("model_not_ready", sentence)
    record.weights.clear()
    record.weights.update(weights)
    record.aliases.clear()
    record.aliases.update(aliases)
    return True


def _is_able(record: Record, version: str) -> bool:
    entry = find(record, version)
    return entry is not None and takes_requests(entry)
