"""Random events in the life of a model."""

from __future__ import annotations

import random
from typing import Final

from tests.unit.registry.course import register, update

from scurry.registry.lifecycle import Event, LoadLost
from scurry.registry.record import find
from scurry.wire.messages_pb2 import Drained, Loaded, LoadFailed, NextStep, Record, Remind

POLICIES: Final[list[dict[str, object]]] = [{"latest": 1}, {"all": True}, {"specific": ["1", "3"]}]


def random_event(chance: random.Random, record: Record) -> Event:
    """Something that may happen to a record: half of it what somebody asks for."""
    names = [entry.version for entry in record.versions]
    version = chance.choice([*names, "1", "2", "3"])
    entry = find(record, version)
    generation = entry.spec.generation if entry and chance.random() < 0.9 else chance.randrange(9)
    changes = [
        register(chance.choice(["", version]), chance.choice(["a.onnx", "b.onnx"]), token=str(chance.random())),
        update("unregister", str(chance.random()), **({"version": version} if chance.random() < 0.7 else {})),
        update("alias", str(chance.random()), alias=chance.choice("xy"), version=chance.choice([version, "x", ""])),
        update("split", str(chance.random()), weights={version: chance.randrange(3), "x": 1}),
        update("promote", str(chance.random()), version=version),
        update("rollback", str(chance.random())),
        update("load", str(chance.random()), version=version),
        update("unload", str(chance.random()), version=version, force=chance.random() < 0.5),
        update("pin", str(chance.random()), version=version, pinned=chance.random() < 0.5),
        update(
            "policy", str(chance.random()), **chance.choice([{"latest": 1}, {"all": True}, {"specific": ["1", "3"]}])
        ),
        update("routes", str(chance.random()), weights={version: 1}, aliases={chance.choice("xy"): version}),
        update("shadow", str(chance.random()), version=chance.choice([version, ""]), percent=5),
        update("rollout", str(chance.random()), version=version, steps=[10, 50, 100], hold_ms=1, max_disagreement=0.1),
        register(version, "c.onnx", token=str(chance.random()), route=False),
    ]
    answers: list[Event] = [
        Loaded(version=version, lane=chance.randrange(2), generation=generation),
        Loaded(version=version, lane=chance.randrange(2), generation=generation),
        LoadFailed(version=version, generation=generation, message="no"),
        Remind(version=version, generation=generation, attempt=chance.randrange(1, 80)),
        LoadLost(version, generation, chance.random() < 0.5, "", entry.spec.identity if entry else ""),
        Drained(version=version, generation=generation),
        NextStep(number=record.rollout.number, step=record.rollout.step),
    ]
    return chance.choice(changes if chance.random() < 0.5 else answers)
