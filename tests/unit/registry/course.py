"""A record on its way through events."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scurry.registry.lifecycle import Event, advance
from scurry.registry.record import find
from scurry.registry.steps import Answer, Audited, Effect
from scurry.wire.messages_pb2 import (
    Loaded,
    LoadFailed,
    Record,
    Update,
    VersionState,
)

BLANK = Record(model="m")


def update(verb: str, token: str = "", **fields: object) -> Update:
    """A registry message."""
    return Update(model="m", id=token, json=json.dumps({verb: fields}))


def register(version: str = "", uri: str = "a.onnx", token: str = "", **fields: object) -> Update:
    """A registration."""
    return update("register", token, uri=uri, **({"version": version} if version else {}), **fields)


class Course:
    """A record on its way, with the effects of the last step."""

    def __init__(self) -> None:
        self.record = BLANK
        self.effects: Sequence[Effect] = ()
        self.identities: dict[tuple[str, int], str] = {}  # of every registration there was

    def on(self, *events: Event) -> Course:
        """Let events happen."""
        for event in events:
            before = Record()
            before.CopyFrom(self.record)
            if isinstance(event, Loaded | LoadFailed) and not event.identity:
                event.identity = self.identities.get((event.version, event.generation), "unheard of")
            record, self.effects = advance(self.record, event, 1)
            assert self.record == before, "advance leaves its argument alone"
            self.record = record
            specs = {(entry.version, entry.spec.generation): entry.spec.identity for entry in record.versions}
            self.identities.update(specs)
        return self

    def load(self, version: str = "1") -> Course:
        """Both lanes have loaded it."""
        entry = find(self.record, version)
        assert entry is not None
        generation = entry.spec.generation
        return self.on(*(Loaded(version=version, lane=lane, generation=generation) for lane in (0, 1)))

    def state(self, version: str = "1") -> VersionState | None:
        """Where a version stands; None when it is gone."""
        entry = find(self.record, version)
        return entry.state if entry else None

    def of(self, kind: type) -> list[Effect]:
        """The last step's effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def answers(self) -> list[tuple[str, str]]:
        """(id, code) of the last step's replies."""
        return [(e.update.id, e.code) for e in self.effects if isinstance(e, Answer)]

    @property
    def outcome(self) -> str:
        """What the audit says of the last step."""
        (audited,) = self.of(Audited)
        assert isinstance(audited, Audited)
        return audited.outcome


def ready(*versions: str) -> Course:
    """These versions, loaded."""
    out = Course()
    for version in versions:
        out.on(register(version, f"{version}.onnx")).load(version)
    return out
