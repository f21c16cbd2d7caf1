"""The verbs that say what is in memory: load, unload, pin."""

from __future__ import annotations

from scurry.registry import policies, shelving
from scurry.registry.record import require, takes_requests
from scurry.registry.steps import Answer, Progress, Unpin
from scurry.registry.usage import refuse_in_use
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.messages_pb2 import DRAINING, LOADING, REGISTERED, Update


def load(progress: Progress, update: Update) -> str:
    """Bring a registered version into memory; answered once it is ready, or has failed."""
    record = progress.record
    entry = require(record, update.load.version)
    if takes_requests(entry):
        progress.effects.append(Answer(update))
        return "unchanged"
    if entry.state == DRAINING:
        sentence = f"Version {entry.version!r} of model {record.model!r} is draining; try again soon."
        raise Unavailable("model_not_ready", sentence)
    if entry.state != LOADING and not policies.wants(record, entry):
        what = f"The policy of model {record.model!r} keeps version {entry.version!r} out of memory"
        raise InvalidRequest("not_allowed", f"{what}: change it first.")
    entry.waiting.append(update)
    if entry.state == LOADING:
        return "unchanged"
    shelving.renew(progress, entry)
    return "applied"


def unload(progress: Progress, update: Update) -> str:
    """Take a version out of memory; requests for it are refused until it is loaded again."""
    record = progress.record
    entry = require(record, update.unload.version)
    if entry.state == REGISTERED:
        entry.laid_down = False
        progress.effects.append(Answer(update))
        return "unchanged"
    if entry.state == DRAINING:
        entry.laid_down = False
        entry.waiting.append(update)
        return "unchanged"
    if not update.unload.force:
        refuse_in_use(record, entry)
    record.sequence += 1
    shelving.rest(progress, entry, laid_down=False)
    if entry.state == REGISTERED:
        progress.effects.append(Answer(update))
    else:
        entry.waiting.append(update)
    return "applied"


def pin(progress: Progress, update: Update) -> str:
    """Have its workers keep a version in memory, or no longer."""
    record = progress.record
    pinned = update.pin.pinned or not update.pin.HasField("pinned")
    entry = require(record, update.pin.version)
    entry.pinned = entry.spec.pinned = pinned
    if entry.HasField("serving"):
        entry.serving.pinned = pinned
    if pinned and takes_requests(entry) and not entry.function:
        progress.ask(entry, everyone=True)
    elif not pinned and not entry.function:
        specs = [spec for spec in (entry.spec, entry.serving) if spec.identity]
        progress.effects += [Unpin(entry.version, spec.identity, spec.pool) for spec in specs]
    return progress.applied(update)
