"""Lanes that come to a version, or leave it, while it takes requests.

The workers of the lanes that come load it first; until all have, the others go on alone. A lane that leaves gets no
more requests, and what it has is finished.
"""

from __future__ import annotations

from scurry.registry import lanes
from scurry.registry.record import find
from scurry.registry.steps import AskLoad, Progress, RemindLater
from scurry.wire.messages_pb2 import READY, LanesWanted, Loaded, LoadFailed, Remind, VersionRecord
from scurry.wire.names import LANES


def resize(progress: Progress, entry: VersionRecord, wanted: int) -> None:
    """Let a version that takes requests have so many lanes, within what is told."""
    if entry.state != READY:
        return  # it is loaded on as many as are told when that is over
    told, config = progress.record.lanes, entry.spec.config
    now, target = entry.lanes or LANES, lanes.to_load(told, config, wanted)
    if entry.function or target <= now or not lanes.span(told, config)[1]:
        _settle(progress, entry, target)
    elif entry.growing != target:  # else they are asked for already, and reminded
        entry.growing = target
        ask(progress, entry)
        progress.effects.append(RemindLater(entry.version, entry.spec.generation, 1))


def ask(progress: Progress, entry: VersionRecord) -> None:
    """Have the lanes that are to come load it."""
    missing = [lane for lane in range(entry.growing) if lane not in entry.loaded]
    progress.effects += [AskLoad(entry.version, lane) for lane in missing]


def on_wanted(progress: Progress, event: LanesWanted) -> None:
    """The router has too few lanes, or more than it needs."""
    entry = find(progress.record, event.version)
    if entry is None or entry.spec.generation != event.generation or event.lanes <= 0:
        return
    if lanes.span(progress.record.lanes, entry.spec.config)[1]:
        resize(progress, entry, event.lanes)


def on_loaded(progress: Progress, event: Loaded) -> None:
    """A lane that is to come has loaded it."""
    entry = _growing(progress, event.version, event.generation)
    if entry is None or entry.spec.identity != event.identity or event.fingerprint != entry.spec.fingerprint:
        return
    if event.lane not in entry.loaded:
        entry.loaded.append(event.lane)
    if set(range(entry.growing)) <= set(entry.loaded):
        _settle(progress, entry, entry.growing)


def on_load_failed(progress: Progress, event: LoadFailed) -> None:
    """It cannot be loaded there: the lanes that are stay, and the router may ask again."""
    entry = _growing(progress, event.version, event.generation)
    if entry is not None and entry.spec.identity == event.identity and event.lane >= 0:
        entry.growing = 0


def on_remind(progress: Progress, event: Remind, *, expired: bool) -> None:
    """Ask the lanes that have not answered again, not for ever."""
    entry = _growing(progress, event.version, event.generation)
    if entry is None:
        return
    if expired:
        entry.growing = 0
        return
    ask(progress, entry)
    progress.effects.append(RemindLater(event.version, event.generation, max(event.attempt, 0) + 1))


def _settle(progress: Progress, entry: VersionRecord, count: int) -> None:
    """So many lanes it has now. One that leaves has to load anew before it comes again."""
    entry.growing = 0
    entry.lanes = count if lanes.span(progress.record.lanes, entry.spec.config)[1] else 0
    entry.loaded[:] = [lane for lane in entry.loaded if lane < count]


def _growing(progress: Progress, version: str, generation: int) -> VersionRecord | None:
    entry = find(progress.record, version)
    if entry is None or entry.state != READY or not entry.growing or entry.spec.generation != generation:
        return None
    return entry
