"""Steps of one version's life, and what each gives others to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from scurry.registry import lanes, pools
from scurry.wire.messages_pb2 import DRAINING, FAILED, LOADING, READY, Loaded, ModelSpec, Record, Update, VersionRecord
from scurry.wire.names import LANES


@dataclass(frozen=True, slots=True)
class AskLoad:
    """Send Load to one lane."""

    version: str
    lane: int


@dataclass(frozen=True, slots=True)
class AskUnload:
    """Tell every worker of a pool to drop one registration of a version."""

    version: str
    generation: int
    identity: str
    pool: str = ""


@dataclass(frozen=True, slots=True)
class Unpin:
    """Tell every worker of a pool that one registration of a version may be evicted again."""

    version: str
    identity: str
    pool: str = ""


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


@dataclass(frozen=True, slots=True)
class NextStepLater:
    """Come back to a step of a rollout."""

    number: int
    step: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class ClaimStream:
    """Ask for a Cluster Serving stream; whoever gave the registry message is answered then."""

    stream: str
    update: Update


@dataclass(frozen=True, slots=True)
class ReleaseStream:
    """Give such a stream back."""

    stream: str


Effect = AskLoad | AskUnload | Unpin | RemindLater | Answer | Audited | NextStepLater | ClaimStream | ReleaseStream


@dataclass(slots=True)
class Progress:
    """A record being changed and what is to be done about it."""

    record: Record
    effects: list[Effect] = field(default_factory=list)
    functions: tuple[str, ...] | None = None  # user functions and pools that there is an endpoint for; None: any

    def applied(self, update: Update) -> str:
        """The outcome of a change that is done: it has its number and its answer."""
        self.record.sequence += 1
        self.effects.append(Answer(update))
        return "applied"

    def begin_load(self, entry: VersionRecord) -> None:
        """Ask the first lanes to load; remind of those that do not answer."""
        entry.state = LOADING
        entry.losses = 0
        for name in ("loaded", "error", "message", "growing"):
            entry.ClearField(name)
        self.ask_again(entry, 1)

    def ask_again(self, entry: VersionRecord, attempt: int) -> None:
        """Ask those that have not loaded it, and come back to it; it fails where the job has no endpoint for them."""
        if pools.reaches(self.functions, entry.spec.pool):
            self.ask(entry)
            self.effects.append(RemindLater(entry.version, entry.spec.generation, attempt))
        else:
            self.fail(entry, "unavailable", pools.missing(self.functions, entry.spec.pool))

    def ask(self, entry: VersionRecord, *, everyone: bool = False) -> None:
        """Ask the lanes that have not loaded it, or every one; when all have, the first.

        Fewer may be told than when it began.
        """
        done = () if everyone else entry.loaded
        missing = [lane for lane in self._lanes(entry) if lane not in done]
        self.effects += [AskLoad(entry.version, lane) for lane in missing or [0]]

    def _lanes(self, entry: VersionRecord) -> range:
        return range(lanes.to_load(self.record.lanes, entry.spec.config, entry.lanes))

    def hear(self, entry: VersionRecord, loaded: Loaded) -> None:
        """One lane has loaded it; the version is ready when all have, each from the same files."""
        spec = entry.spec
        if spec.fingerprint and loaded.fingerprint != spec.fingerprint:
            self.fail(entry, "load_failed", "The files changed while workers were loading them; register it again.")
            return
        if loaded.lane not in entry.loaded:
            entry.loaded.append(loaded.lane)
        spec.fingerprint = loaded.fingerprint
        spec.runtime = spec.runtime or loaded.runtime
        spec.max_batch_size = loaded.max_batch_size or spec.max_batch_size
        if set(self._lanes(entry)) <= set(entry.loaded):
            entry.signature.CopyFrom(loaded.signature)
            entry.bytes, entry.device, entry.isolated = loaded.bytes, loaded.device, loaded.isolated
            entry.warnings[:] = loaded.warnings
            entry.sequences = loaded.sequences
            self.become_ready(entry)

    def become_ready(self, entry: VersionRecord) -> None:
        """From now on it takes requests; a former spec is unloaded when none is on its way to that any more."""
        entry.state = READY
        entry.lanes = lanes.clamped(self.record.lanes, entry.spec.config, entry.lanes)
        if entry.HasField("serving"):
            former = entry.serving
            entry.former.add(generation=former.generation, identity=former.identity, pool=former.pool)
            entry.ClearField("serving")
        self.answer_waiting(entry)

    def drop_former(self, entry: VersionRecord, generation: int) -> None:
        """No request is on its way to what was replaced, up to a generation."""
        gone = [former for former in entry.former if former.generation <= generation]
        for former in gone:
            self.unload(entry, former)
            entry.former.remove(former)

    def unload(self, entry: VersionRecord, spec: ModelSpec) -> None:
        """Whoever holds exactly this is to drop it."""
        if spec.identity and not entry.function:
            self.effects.append(AskUnload(entry.version, spec.generation, spec.identity, spec.pool))

    def fail(self, entry: VersionRecord, code: str, message: str) -> None:
        """It could not be loaded. A former spec goes on serving."""
        self.answer_waiting(entry, "not_allowed" if code == "not_allowed" else "load_failed", message)
        self.unload(entry, entry.spec)
        entry.error, entry.message = code or "load_failed", message
        if entry.HasField("serving"):
            entry.message = f"A changed registration could not be loaded: {message}"
            self.restore(entry)
        else:
            entry.state = FAILED

    def lose(self, entry: VersionRecord, code: str, message: str) -> None:
        """What took requests broke: requests wait for the spec that is loading, if there is one."""
        if entry.HasField("serving"):
            self.unload(entry, entry.serving)
            entry.ClearField("serving")
        else:
            self.fail(entry, code, message)

    def restore(self, entry: VersionRecord) -> None:
        """Forget the changed spec, the message that brought it, and who has loaded it."""
        entry.update = ""
        entry.loaded[:] = range(entry.lanes or LANES)
        entry.spec.CopyFrom(entry.serving)
        entry.ClearField("serving")
        entry.state = READY

    def serves(self, entry: VersionRecord) -> bool:
        """Whether requests may be on their way to it."""
        return entry.state in (READY, DRAINING) or entry.HasField("serving")

    def answer_waiting(self, entry: VersionRecord, code: str = "", message: str = "") -> None:
        """Reply to everybody who waits for this version."""
        self.effects += [Answer(_copy(update), code, message) for update in entry.waiting]
        entry.ClearField("waiting")


def _copy(update: Update) -> Update:
    copy = Update()
    copy.CopyFrom(update)
    return copy
