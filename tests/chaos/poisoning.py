"""Faults of callers: entries that no caller should send, beside the sound ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from tests.chaos.claims import Question
from tests.chaos.door import connect
from tests.chaos.mix import Fields
from tests.chaos.models import HARMLESS
from tests.chaos.poison import ENTRIES, REGISTRY, REQUESTS, SECRETS, SOUND, Poison, apply, tensor
from tests.chaos.scene import Scene

RARE = 0.3
BESIDE = 5
ODD_S = 5.0
ENDS = frozenset({"model_failed", "worker_lost", "too_large", "deadline_exceeded"})
ODD = (
    ("hungry", HARMLESS + 10_000_000, ENDS),  # 42 TB
    ("hungry", HARMLESS + 1_000, ENDS | {"ok"}),  # 4 GB: more than the worker's budget, less than the machine's
    ("endless", HARMLESS + 2_000, ENDS),  # an hour
)
SECRET = SOUND.tobytes()


def send(scene: Scene, kinds: Mapping[str, Poison], base: Callable[[Scene], Fields]) -> str:
    """One entry of each kind, the rare ones now and then."""
    chosen = [kind for kind in kinds.values() if not kind.rare or scene.random.random() < RARE]
    for kind in scene.random.sample(chosen, len(chosen)):
        send_one(scene, kind, base(scene))
    return f"{len(chosen)} entries of poison"


def send_one(scene: Scene, kind: Poison, base: Fields) -> None:
    """Write one and tell the checker what must become of it."""
    number = scene.mix.numbers.take()
    fields = apply(base | {"id": scene.mix.numbers.id(number)}, kind.fields(scene.random))
    model = fields.get("model", "")
    question = Question(number, str(model), "", "", SOUND, time.monotonic(), wanted=kind.codes, silent=kind.silent)
    write(scene, question, fields)


def write(scene: Scene, question: Question, fields: Fields) -> None:
    """Tell the checker, write, and tell it what came of that."""
    number = question.number
    scene.checker.sent(question)
    (written,) = scene.door.write([("scurry:requests", fields)])
    if written.entry:
        scene.mix.numbers.remember(number, written.entry)
        scene.checker.accepted(number, written.entry)
    elif written.refusal:
        scene.checker.not_taken(question)
    else:
        scene.checker.doubtful(number)


def sound(scene: Scene) -> Fields:
    """A request that would be answered."""
    return {"model": scene.mix.subjects[0].model, "request": tensor(), "reply": scene.mix.reply, "keep": "0"}


def message(scene: Scene) -> Fields:
    """A registry message about a model that nobody needs."""
    model = f"poison-{scene.random.randrange(3)}"
    return {"kind": "registry", "model": model, "update": "{}", "reply": scene.mix.reply, "keep": "0"}


def poison_requests(scene: Scene) -> str:
    """Bodies and names that no model takes."""
    return send(scene, REQUESTS, sound)


def poison_entries(scene: Scene) -> str:
    """Entries that are no requests."""
    return send(scene, ENTRIES, sound)


def poison_registry(scene: Scene) -> str:
    """Registry messages that are none, and a request to each model they were about."""
    told = send(scene, REGISTRY, message)
    for number in range(3):
        asked = sound(scene) | {"model": f"poison-{number}"}
        send_one(scene, Poison(frozenset({"model_not_found", "load_failed"}), lambda _: {}), asked)
    return told


def poison_models(scene: Scene) -> str:
    """A request that wants more memory than there is, one that never ends, and sound ones beside them."""
    for model, first, codes in ODD:
        for _ in range(BESIDE):
            ask_odd(scene, model, 0, frozenset())
        ask_odd(scene, model, first, codes)
        for _ in range(BESIDE):
            ask_odd(scene, model, 0, frozenset())
    return f"{len(ODD)} requests that their model cannot bear, {2 * BESIDE} sound ones beside each"


def ask_odd(scene: Scene, model: str, first: int, wanted: frozenset[str]) -> None:
    """One request to a model whose first number says what it does."""
    number = scene.mix.numbers.take()
    x = np.array([[first, 2, 3, 4]], np.float32)
    deadline = time.time() + ODD_S if wanted else 0.0
    question = Question(number, model, "", "", x, time.monotonic(), deadline, wanted)
    write(scene, question, scene.mix.entry(question) | {"keep": "0"})


def plant(url: str) -> None:
    """Keys that are nobody's business."""
    for key in SECRETS:
        connect(url).set(key, SECRET)


def touched(url: str) -> list[str]:
    """Which of them were changed or deleted."""
    return [key for key in SECRETS if connect(url).get(key) != SECRET]
