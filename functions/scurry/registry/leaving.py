"""A version goes: it finishes what it has, then it is dropped."""

from __future__ import annotations

from scurry.registry.record import aliases_of
from scurry.registry.steps import Answer, Progress
from scurry.wire.messages_pb2 import DRAINING, LOADING, VersionRecord


def begin_drain(progress: Progress, entry: VersionRecord) -> bool:
    """Take no more requests; False when it took none and can go at once."""
    able = progress.serves(entry)
    entry.resting = entry.laid_down = False
    if entry.state == LOADING:
        progress.answer_waiting(entry, "load_failed", "It was unregistered before it was loaded.")
    if entry.HasField("serving"):
        progress.unload(entry, entry.spec)
        progress.restore(entry)
    if able:
        entry.state = DRAINING
    for alias in aliases_of(progress.record, entry.version):
        del progress.record.aliases[alias]
    progress.record.weights.pop(entry.version, None)
    return able


def drop(progress: Progress, entry: VersionRecord, message: str = "") -> None:
    """It is gone. Who waits for the whole model waits on while another version drains."""
    waiting = list(entry.waiting)
    for spec in [*entry.former, entry.spec]:
        progress.unload(entry, spec)
    progress.record.versions.remove(entry)
    others = [other for other in progress.record.versions if other.state == DRAINING]
    for update in waiting:
        if others and update.HasField("unregister") and not update.unregister.version:
            others[0].waiting.append(update)
        else:
            progress.effects.append(Answer(update, message=message))
