"""What becomes of a model's record: a rule from event to record.

    register ─▶ LOADING ──all lanes Loaded──▶ READY ──unregister──▶ DRAINING ──Drained──▶ dropped
                 │   ▲                          │
                 │   └──── another spec ────────┘  (the former one answers until the new one is loaded)
                 └─ LoadFailed, workers lost, 10 minutes ──▶ FAILED, or READY with the former spec
    READY ──a worker cannot mend it──▶ FAILED, or LOADING when another spec is on its way
    READY ──unload, or the policy──▶ DRAINING ──Drained──▶ REGISTERED ──load, or the policy──▶ LOADING

Each registration has an identity of its own; what is replaced, fails or is dropped is unloaded by it, everywhere.

Pure: `advance` takes a record and an event, and returns a new record and what is to be done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scurry.registry import bindings, changes, experiment, growth, leaving, policies, repeated, rollout, shelving
from scurry.registry.audit import declared
from scurry.registry.former import forget, remember
from scurry.registry.record import find, routes_of, serving_spec, takes_requests
from scurry.registry.steps import Answer, AskUnload, Audited, Effect, Progress
from scurry.registry.update import read
from scurry.registry.usage import gets_no_copies
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import (
    DRAINING,
    ENDED,
    FAILED,
    LOADING,
    REGISTERED,
    Counted,
    Drained,
    LanesWanted,
    Loaded,
    LoadFailed,
    Loading,
    NextStep,
    Record,
    Remind,
    StreamClaimed,
    Update,
    VersionRecord,
)
from scurry.wire.statistics import add_codes, merge

LOSSES: Final = 6
"""So many lost workers while loading mean that the version itself may be what ends them."""
BROKEN: Final = "model_failed"
"""What a worker says of a version that it had loaded and cannot mend; no load fails with this code."""
LOAD_LIMIT_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class LoadLost:
    """A Load came back because its worker was lost."""

    version: str
    generation: int
    executing: bool
    cause: str
    identity: str


Told = Loaded | LoadFailed | Loading | LoadLost | Drained | LanesWanted | Counted | StreamClaimed
Event = Update | Told | Remind | NextStep


def advance(
    before: Record, event: Event, now: int, functions: tuple[str, ...] | None = None
) -> tuple[Record, Sequence[Effect]]:
    """The record after an event, and what is to be done; a refused change leaves the record as it was.

    `functions` are the user functions and pools that there is an endpoint for; None: any.
    """
    record = Record()
    record.CopyFrom(before)
    progress = Progress(record, functions=functions)
    if isinstance(event, Update):
        refused = _update(progress, event, functions)
        if refused:
            return before, refused
    else:
        _EVENTS[type(event)](progress, event)
        rollout.watch(progress)
    policies.keep_to(progress)
    _settle(before, record, now, counted=isinstance(event, Counted))
    progress.effects += bindings.released(before, record) if before.streams else ()
    return record, progress.effects


def _update(progress: Progress, update: Update, functions: tuple[str, ...] | None) -> Sequence[Effect]:
    """Carry out a registry message, once; returns what to say when it is refused."""
    try:
        update = read(update, functions)
        outcome = repeated.once(progress, update, changes.apply)
        rollout.watch(progress, "" if outcome == "unchanged" else update.WhichOneof("change") or "")
    except ScurryError as failure:
        return [Answer(update, failure.code, failure.message), Audited(update, failure.code)]
    if outcome:
        progress.effects.append(Audited(update, outcome))
    return []


def _settle(before: Record, record: Record, now: int, *, counted: bool) -> None:
    """Remember the former routes for a rollback, count the epoch of new ones, count what is told, stamp the time."""
    if record == before:
        return
    for entry in record.versions:
        entry.unrouted = entry.unrouted and not record.weights.get(entry.version, 0)
    experiment.settle(before, record)
    if not rollout.running(before) or record.rollout.state == ENDED:  # back from one is before its first step
        remember(before, record)
    forget(before, record)
    if not record.versions:
        for name in ("policy", "limits", "lanes", "streams", "rollout", "unrouted"):  # those of a model which is gone
            record.ClearField(name)
    if record.HasField("shadow"):
        shadow = find(record, record.shadow.version)
        if shadow is None or gets_no_copies(shadow):  # it has gone, or was registered as something else
            record.ClearField("shadow")
    if declared(record) != declared(before):
        record.events += 1
    if routes_of(record) != routes_of(before):
        record.epoch += 1
    if record.epoch != before.epoch or not counted:
        record.changed = now


def pause_ms(attempt: int) -> int:
    """How long to wait before reminder number `attempt`."""
    return min(int(1000 * 1.5 ** min(max(attempt - 1, 0), 10)), 10_000)


def waited_ms(attempt: int) -> int:
    """How long a version has been loading when reminder number `attempt` arrives."""
    short = sum(pause_ms(number) for number in range(1, min(attempt, 10) + 1))
    return short + max(0, attempt - 10) * pause_ms(attempt)


def _loading(progress: Progress, version: str, generation: int, identity: str | None = None) -> VersionRecord | None:
    """The version an answer is about, if it still waits for that; a reminder of our own names no identity."""
    entry = find(progress.record, version)
    if entry is None or entry.state != LOADING or entry.spec.generation != generation:
        return None
    return entry if identity in (None, entry.spec.identity) else None


def _on_loaded(progress: Progress, event: Loaded) -> None:
    entry = _loading(progress, event.version, event.generation, event.identity)
    if entry is not None:
        progress.hear(entry, event)
    elif event.identity and event.identity not in _wanted(progress.record, event.version):
        progress.effects.append(AskUnload(event.version, event.generation, event.identity, event.pool))
    else:
        growth.on_loaded(progress, event)


def _wanted(record: Record, version: str) -> Sequence[str]:
    """The registrations of a version that workers may hold."""
    entry = find(record, version)
    if entry is None or entry.state in (FAILED, REGISTERED):
        return ()
    return [spec.identity for spec in (entry.spec, entry.serving, *entry.former)]


def _on_load_failed(progress: Progress, event: LoadFailed) -> None:
    entry = _loading(progress, event.version, event.generation, event.identity)
    if entry is not None:
        progress.fail(entry, event.error, event.message)
    elif event.error == BROKEN:
        _on_broken(progress, event)
    else:
        growth.on_load_failed(progress, event)


def _on_broken(progress: Progress, event: LoadFailed) -> None:
    """What takes requests is lost, if the report is about exactly that."""
    entry = find(progress.record, event.version)
    if entry is None or not takes_requests(entry):
        return
    spec = serving_spec(entry)
    if (spec.generation, spec.identity) == (event.generation, event.identity):
        progress.lose(entry, event.error, event.message)


def _on_remind(progress: Progress, event: Remind) -> None:
    entry = _loading(progress, event.version, event.generation)
    expired = waited_ms(event.attempt) >= LOAD_LIMIT_MS
    if entry is None:
        growth.on_remind(progress, event, expired=expired)
        return
    if expired:
        progress.fail(entry, "load_failed", f"It was not loaded within {LOAD_LIMIT_MS // 60_000} minutes.")
        return
    progress.ask_again(entry, max(event.attempt, 0) + 1)


def _on_load_lost(progress: Progress, event: LoadLost) -> None:
    """The next reminder asks again, unless the version seems to be what ends the workers."""
    entry = _loading(progress, event.version, event.generation, event.identity)
    if entry is None or not event.executing:
        return
    entry.losses += 1
    if entry.losses >= LOSSES:
        progress.fail(
            entry, "worker_lost", f"{LOSSES} times a worker was lost while loading it. {event.cause}".rstrip()
        )


def _on_drained(progress: Progress, event: Drained) -> None:
    entry = find(progress.record, event.version)
    if entry is None:
        return
    progress.drop_former(entry, event.generation)
    if entry.state != DRAINING or event.generation not in (0, entry.spec.generation):
        return
    message = "Unloaded with requests outstanding: the drain limit passed." if event.expired else ""
    if entry.resting:
        shelving.lie_down(progress, entry, laid_down=entry.laid_down, message=message)
    else:
        leaving.drop(progress, entry, message)


def _on_counted(progress: Progress, event: Counted) -> None:
    """Counts of versions that are gone are gone with them."""
    for told in event.versions:
        entry = find(progress.record, told.version)
        if entry is not None:
            merge(entry.statistics, told.statistics)
    if progress.record.versions:
        add_codes(progress.record.unrouted, event.unrouted)


_EVENTS: Final[dict[type, Callable[[Progress, Any], None]]] = {
    Loaded: _on_loaded,
    LoadFailed: _on_load_failed,
    Loading: lambda *_: None,  # a reminder is under way already
    Remind: _on_remind,
    LoadLost: _on_load_lost,
    Drained: _on_drained,
    LanesWanted: growth.on_wanted,
    Counted: _on_counted,
    NextStep: rollout.next_step,
    StreamClaimed: bindings.on_claimed,
}
