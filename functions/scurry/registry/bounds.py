"""The verbs `limits` and `lanes`: what a model's requests may take."""

from __future__ import annotations

from scurry.registry import growth
from scurry.registry.steps import Answer, Progress
from scurry.wire.errors import NotFound
from scurry.wire.messages_pb2 import Update
from scurry.wire.names import LANES


def limit(progress: Progress, update: Update) -> str:
    """Put limits in the former ones' place, as a whole."""
    record = progress.record
    if update.limits.ByteSize():
        record.limits.CopyFrom(update.limits)
    else:
        record.ClearField("limits")
    return _applied(progress, update)


def set_lanes(progress: Progress, update: Update) -> str:
    """Let every version of the model have so many lanes; empty: as its config says."""
    record = progress.record
    if update.lanes.ByteSize():
        record.lanes.CopyFrom(update.lanes)
    else:
        record.ClearField("lanes")
    for entry in record.versions:
        growth.resize(progress, entry, entry.lanes or LANES)
    return _applied(progress, update)


def _applied(progress: Progress, update: Update) -> str:
    record = progress.record
    if not record.versions:
        raise NotFound("model_not_found", f"No model {record.model!r} is registered.")
    record.sequence += 1
    progress.effects.append(Answer(update))
    return "applied"
