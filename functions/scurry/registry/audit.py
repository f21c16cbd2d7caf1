"""What the audit stream tells of a model: messages, and what became.

An entry that changed something holds all that is declared of the model from then on, so that the newest entry of a
model up to some time is the model as it was then, whatever came before it or was trimmed.
"""

from __future__ import annotations

import json
from typing import Any, Final

from scurry.registry.record import find
from scurry.registry.update import describe
from scurry.registry.views import declared_view, rollout_view, routing_view
from scurry.wire.messages_pb2 import Audit, Record, Update

LARGEST: Final = 512 * 1024
"""Characters of a declaration that an entry holds; of a larger one only the change is told."""


def declared(record: Record) -> dict[str, Any]:
    """What was asked for and has come about: no more than others need to bring it about again."""
    shadow = record.shadow
    out = {
        "model": record.model,
        "versions": [declared_view(entry) for entry in record.versions],
        **routing_view(record),
        "shadow": {shadow.version: {"percent": shadow.percent}} if shadow.version else {},
    }
    return {**out, "rollout": rollout_view(record.rollout)} if record.HasField("rollout") else out


def of_message(before: Record, record: Record, update: Update, outcome: str, now: int) -> Audit:
    """The entry for a registry message, applied or refused."""
    return _entry(before, record, describe(update), outcome, now)


def of_event(before: Record, record: Record, now: int) -> Audit | None:
    """The entry for what came about by itself, a version's or a rollout's next state; None when nothing did."""
    if record.events == before.events:
        return None
    became = _became(before, record)
    entries = [find(record, version) for version in became]
    codes = [entry.error for entry in entries if entry is not None and entry.error]
    happened: dict[str, Any] = {"became": became}
    if record.HasField("rollout") and record.rollout != before.rollout:
        now_is = rollout_view(record.rollout)
        happened["rollout"] = {name: now_is[name] for name in ("version", "state", "step", "percent", "message")}
    return _entry(before, record, json.dumps(happened, separators=(",", ":")), codes[0] if codes else "ok", now)


def _became(before: Record, record: Record) -> dict[str, str]:
    """The new state of every version that is not as it was."""
    was, now = ({one["version"]: one for one in declared(each)["versions"]} for each in (before, record))
    return {
        version: now[version]["state"] if version in now else "gone"
        for version in {**was, **now}
        if was.get(version) != now.get(version)
    }


def _entry(before: Record, record: Record, update: str, outcome: str, now: int) -> Audit:
    audit = Audit(model=record.model, sequence=record.sequence, update=update, outcome=outcome, at=now)
    if record.events != before.events:
        audit.number = record.events
        text = json.dumps(declared(record), separators=(",", ":"))
        audit.record = text if len(text) <= LARGEST else ""
    return audit
