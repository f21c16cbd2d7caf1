"""What is asked: models, names, forms and sizes, drawn from a seed."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from tests.chaos.claims import KEPT_S, Content, Question, Rows
from tests.chaos.models import WIDE, WIDTH

from scurry.wire.infer_pb2 import InferRequest, Tensor

LARGEST = 1000
RETRIED, CLASHED, KEPT, JSON, LATE, KEYED = 0.01, 0.01, 0.05, 0.15, 0.02, 0.3
CLASH_S = 2.0
"""So long after the first entry another input is sent under its id, and the first once more."""
DEADLINE_S = 3.0

Fields = dict[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that is asked, under which names, and how often beside the others."""

    model: str
    names: Sequence[str] = ("",)
    weight: int = 10
    width: int = WIDTH
    below: int = LARGEST  # numbers that are sent


class Numbers:
    """Ids of one run: a prefix and a number, handed out to every thread that sends."""

    def __init__(self, run: str) -> None:
        self.prefix = f"c-{run}-"
        self._entries: dict[str, int] = {}
        self._lock = threading.Lock()
        self._next = 0

    def take(self) -> int:
        """The next number."""
        with self._lock:
            self._next += 1
            return self._next

    def id(self, number: int) -> str:
        """The id of a number."""
        return f"{self.prefix}{number}"

    def remember(self, number: int, entry: str) -> None:
        """This entry has an id that nobody can answer to: its own stands for it."""
        self._entries[entry] = number

    def number(self, request_id: str) -> int | None:
        """The number of an id or of an entry that was remembered; None when it is not ours."""
        text = request_id.removeprefix(self.prefix)
        return int(text) if text != request_id and text.isdigit() else self._entries.get(request_id)


@dataclass(slots=True)
class Mix:
    """Draws the next question and the entry that asks it."""

    subjects: Sequence[Subject]
    numbers: Numbers
    reply: str
    random: random.Random
    bag: list[Subject] = field(init=False)
    later: deque[tuple[float, list[tuple[Question, Fields]]]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.bag = [subject for subject in self.subjects for _ in range(subject.weight)]

    def draw(self) -> list[tuple[Question, Fields]]:
        """One question with its entry; now and then the same entry twice."""
        draw = self.random
        subject = draw.choice(self.bag)
        rows = draw.choice((1, 1, 1, 2, 3))
        x = np.array(
            [[draw.randrange(subject.below) for _ in range(subject.width)] for _ in range(rows)], np.float32
        ) if subject.width < WIDE else row_of(draw.randrange(LARGEST), subject.width)  # fmt: skip
        key = f"key-{draw.randrange(200)}" if draw.random() < KEYED else ""
        deadline = time.time() + DEADLINE_S if draw.random() < LATE else 0.0
        question = Question(
            self.numbers.take(), subject.model, draw.choice(subject.names), key, x, time.monotonic(), deadline
        )
        fields = self.entry(question, as_json=subject.width < WIDE and draw.random() < JSON)
        times = 2 if draw.random() < RETRIED else 1
        question = replace(question, kept=times > 1 or draw.random() < KEPT)
        fields["keep"] = str(KEPT_S) if question.kept else "0"
        if times == 1 and not question.deadline and draw.random() < CLASHED:
            question = replace(question, kept=True, more=2)
            fields["keep"] = str(KEPT_S)
            again = replace(question, more=0)
            other = replace(again, x=(question.x + 1) % LARGEST)
            others = [(other, self.entry(other) | {"keep": fields["keep"]}), (again, fields)]
            self.later.append((question.sent + CLASH_S, others))
        return [(question, fields)] * times

    def due(self, now: float) -> list[tuple[Question, Fields]]:
        """What is sent under an id that was used before, once its time has come."""
        found: list[tuple[Question, Fields]] = []
        while self.later and self.later[0][0] <= now:
            pairs, sent = self.later.popleft()[1], time.monotonic()
            found += [(replace(question, sent=sent), fields) for question, fields in pairs]
        return found

    def entry(self, question: Question, *, as_json: bool = False) -> Fields:
        """The fields that ask a question."""
        fields: Fields = {"model": question.model, "id": self.numbers.id(question.number), "reply": self.reply}
        fields |= {"inputs": body_json(question.x)} if as_json else {"request": body(question.x)}
        if question.asked:
            fields["version"] = question.asked
        if question.key:
            fields["key"] = question.key
        if question.deadline:
            fields["deadline"] = str(int(question.deadline * 1000))
        return fields


def row_of(start: int, width: int) -> Rows:
    """A wide row, cheap to make."""
    return ((np.arange(width, dtype=np.int64) + start) % LARGEST).astype(np.float32).reshape(1, width)


def body(x: Rows) -> bytes:
    """A serialised InferRequest."""
    tensor = Tensor(name="x", datatype="FP32", shape=x.shape, data=x.astype("<f4").tobytes())
    return InferRequest(inputs=[tensor]).SerializeToString()


def body_json(x: Rows) -> str:
    """The same as Open Inference Protocol JSON."""
    tensor = {"name": "x", "datatype": "FP32", "shape": x.shape, "data": x.ravel().tolist()}
    return json.dumps({"inputs": [tensor]})


def contents(seed: int) -> dict[tuple[str, str], Content]:
    """What each version of each model computes; no two are alike."""
    draw = random.Random(seed)
    pairs = draw.sample([(a, b) for a in range(2, 40) for b in range(1, 400)], 400)
    names = [
        ("plain-0", "1"), ("plain-1", "1"), ("plain-2", "1"), ("plain-3", "1"),
        ("split", "1"), ("split", "2"), ("churn", "1"), ("wide", "1"),
        ("kept", "1"), ("shadowed", "1"), ("shadowed", "2"), ("tally", "1"), ("tally", "2"), ("brief", "1"),
    ]  # fmt: skip
    made = {name: Content("line", *pair) for name, pair in zip(names, pairs, strict=False)}
    return made | {("spread", "1"): Content("spread", *pairs[-1])}
