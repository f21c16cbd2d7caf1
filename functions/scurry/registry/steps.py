"""Steps of one version's life, and what each gives others to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from scurry.wire.messages_pb2 import DRAINING, FAILED, LOADING, READY, Loaded, Record, Update, VersionRecord
from scurry.wire.names import LANES

REPLACED_MS: Final = 60_000
"""A replaced generation stays loaded so long, for the requests that are still on their way to it."""


@dataclass(frozen=True, slots=True)
class AskLoad:
    """Send Load to one lane."""

    version: str
    lane: int


@dataclass(frozen=True, slots=True)
class AskUnload:
    """Send Unload to every lane, for generations up to this one."""

    version: str
    generation: int
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class RemindLater:
    """Come back to a version that is loading."""

    version: str
    generation: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Reply to a registry message: the record, or an error when there is a code."""

    update: Update
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Audited:
    """Note a registry message and its outcome."""

    update: Update
    outcome: str


Effect = AskLoad | AskUnload | RemindLater | Answer | Audited


@dataclass(slots=True)
class Progress:
    """A record being changed and what is to be done about it."""

    record: Record
    effects: list[Effect] = field(default_factory=list)

    def begin_load(self, entry: VersionRecord) -> None:
        """Ask the first lanes to load; remind of those that do not answer."""
        entry.state = LOADING
        entry.losses = 0
        for name in ("loaded", "error", "message"):
            entry.ClearField(name)
        self.ask(entry)
        self.effects.append(RemindLater(entry.version, entry.spec.generation, 1))

    def ask(self, entry: VersionRecord) -> None:
        """Ask the lanes that have not loaded it."""
        self.effects += [AskLoad(entry.version, lane) for lane in range(LANES) if lane not in entry.loaded]

    def hear(self, entry: VersionRecord, loaded: Loaded) -> None:
        """One lane has loaded it; the version is ready when all have."""
        if loaded.lane not in entry.loaded:
            entry.loaded.append(loaded.lane)
        entry.signature.CopyFrom(loaded.signature)
        entry.bytes, entry.device = loaded.bytes, loaded.device
        entry.spec.runtime = entry.spec.runtime or loaded.runtime
        entry.spec.max_batch_size = loaded.max_batch_size or entry.spec.max_batch_size
        if set(range(LANES)) <= set(entry.loaded):
            self.become_ready(entry)

    def become_ready(self, entry: VersionRecord) -> None:
        """From now on it takes requests; a former spec is unloaded when nothing can be on its way to it any more."""
        entry.state = READY
        if entry.HasField("serving"):
            self.effects.append(AskUnload(entry.version, entry.serving.generation, REPLACED_MS))
            entry.ClearField("serving")
        self.answer_waiting(entry)

    def fail(self, entry: VersionRecord, code: str, message: str) -> None:
        """It could not be loaded. A former spec goes on serving."""
        self.answer_waiting(entry, "load_failed", message)
        entry.error, entry.message = code or "load_failed", message
        if entry.HasField("serving"):
            entry.message = f"A changed registration could not be loaded: {message}"
            self.restore(entry)
        else:
            entry.state = FAILED

    def restore(self, entry: VersionRecord) -> None:
        """Forget the changed spec."""
        entry.spec.CopyFrom(entry.serving)
        entry.ClearField("serving")
        entry.state = READY

    def begin_drain(self, entry: VersionRecord) -> bool:
        """Take no more requests; False when it took none and can go at once."""
        able = entry.state in (READY, DRAINING) or entry.HasField("serving")
        if entry.state == LOADING:
            self.answer_waiting(entry, "load_failed", "It was unregistered before it was loaded.")
        if entry.HasField("serving"):
            self.restore(entry)
        if able:
            entry.state = DRAINING
        for alias in [alias for alias, version in self.record.aliases.items() if version == entry.version]:
            del self.record.aliases[alias]
        self.record.weights.pop(entry.version, None)
        return able

    def drop(self, entry: VersionRecord, message: str = "") -> None:
        """It is gone. Who waits for the whole model waits on while another version drains."""
        version, waiting = entry.version, list(entry.waiting)
        if not entry.function:
            self.effects.append(AskUnload(version, self.record.sequence))
        self.record.versions.remove(entry)
        others = [other for other in self.record.versions if other.state == DRAINING]
        for update in waiting:
            if others and not update.unregister.version:
                others[0].waiting.append(update)
            else:
                self.effects.append(Answer(update, message=message))

    def answer_waiting(self, entry: VersionRecord, code: str = "", message: str = "") -> None:
        """Reply to everybody who waits for this version."""
        self.effects += [Answer(_copy(update), code, message) for update in entry.waiting]
        entry.ClearField("waiting")


def _copy(update: Update) -> Update:
    copy = Update()
    copy.CopyFrom(update)
    return copy
