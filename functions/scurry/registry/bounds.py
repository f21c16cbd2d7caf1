"""The verbs `limits` and `lanes`: what a model's requests may take."""

from __future__ import annotations

from scurry.registry import growth
from scurry.registry.record import require_model
from scurry.registry.steps import Progress
from scurry.wire.messages_pb2 import Update
from scurry.wire.names import LANES


def limit(progress: Progress, update: Update) -> str:
    """Put limits in the former ones' place, as a whole. Raises `model_not_found`."""
    return _put(progress, update, "limits")


def set_lanes(progress: Progress, update: Update) -> str:
    """Let every version of the model have so many lanes; empty: as its config says. Raises `model_not_found`."""
    outcome = _put(progress, update, "lanes")
    for entry in progress.record.versions:
        growth.resize(progress, entry, entry.lanes or LANES)
    return outcome


def _put(progress: Progress, update: Update, field: str) -> str:
    record = progress.record
    require_model(record)
    record.ClearField(field)
    given = getattr(update, field)
    if given.ByteSize():
        getattr(record, field).CopyFrom(given)
    return progress.applied(update)
