"""Callers of sequences at Redis' door: many at once, each steps one after the other and asks again what is lost."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from tests.chaos.checker import TURN, Checker
from tests.chaos.claims import KEPT_S, Question, Rows
from tests.chaos.door import Door
from tests.chaos.mix import Fields, Numbers, body_json
from tests.chaos.models import WIDTH
from tests.chaos.registering import IDLE_S
from tests.chaos.walks import Step, Try, Walk

from scurry.wire.infer_pb2 import InferRequest, Tensor

NAMES = {"tally": ("", "", "", "1", "2"), "brief": ("",)}
"""Models of sequences, and under which names they are asked."""
SHARED = frozenset({"tally"})
"""Models whose shares change: of their first steps, sent again, each may begin the sequence (docs/models.md)."""
BRIEF = 0.25
LARGEST = 1000
LONGEST = 60
BEAT_S = 0.02
PAUSE_S = 1.0
AGAIN_S = 15.0
"""So long a caller waits for an answer before it asks again under the same id."""
REFUSED_S = 0.5
TURN_S = 4.0
"""So often new sequences are sent to another version, or to both."""
IDLE, LATE, TWICE, BAD, JSON = 0.05, 0.05, 0.02, 0.03, 0.3
DEADLINE_S = 2.0
KINDS = {bool: "bool_value", int: "int_value", str: "string_value"}


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many callers of sequences of these models, drawn from a seed."""

    models: Sequence[str]
    seed: int
    count: int

    def draws(self) -> list[random.Random]:
        """What each caller draws from."""
        return [random.Random(self.seed * 1000 + at) for at in range(self.count)]


@dataclass(slots=True)
class Caller:
    """One who steps one sequence after the other."""

    random: random.Random
    walk: Walk | None = None
    due: float = 0.0
    question: Question | None = None
    fields: Fields = field(default_factory=dict)
    bad: tuple[Question, Fields] | None = None  # sent before it: a step that no model takes


class Stepping(threading.Thread):
    """So many callers; whoever hears replies hands them to the checker, which settles the steps."""

    def __init__(self, door: Door, checker: Checker, numbers: Numbers, stream: str, crowd: Crowd) -> None:
        super().__init__(daemon=True, name="stepping")
        self._door, self._checker, self._numbers, self._stream = door, checker, numbers, stream
        self._models = crowd.models
        self._random = random.Random(crowd.seed)
        self._callers = [Caller(draw) for draw in crowd.draws()]
        self._stopping = threading.Event()
        self._turn = 0.0
        self.failure: Exception | None = None

    def run(self) -> None:
        """Step until told to stop."""
        try:
            while self._models and not self._stopping.wait(BEAT_S):
                asked = [caller for caller in self._callers if self._next(caller, time.monotonic())]
                if asked:
                    self._write(asked)
                if "tally" in self._models and time.monotonic() > self._turn:
                    self._turn_routes()
        except Exception as failure:
            self.failure = failure

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        self.join()

    def _next(self, caller: Caller, now: float) -> bool:
        """Whether this caller asks now: its next step, or once more the one that nobody answered."""
        walk, question = caller.walk, caller.question
        if question is not None and question.step is not None and question.step.state == "open":
            if now <= max(question.sent + (REFUSED_S if question.step.told else AGAIN_S), caller.due):
                return False
            if not may_wander(question.step):
                return True
            walk = caller.walk = None
        if question is not None:
            caller.question, caller.due = None, now + pause(caller.random, walk)
        if now < caller.due:
            return False
        if walk is None or walk.over:
            model = caller.random.choices(self._models, [BRIEF if each == "brief" else 1.0 for each in self._models])[0]
            caller.walk = walk = begin(model, caller.random, self._numbers)
        self._ask(caller, walk, now)
        return True

    def _ask(self, caller: Caller, walk: Walk, now: float) -> None:
        """Make the entry of the next step; asked again it is the same, byte for byte."""
        number = self._numbers.take()
        step = self._checker.step(walk, drawn(caller.random), now, number)
        deadline = time.time() + DEADLINE_S if caller.random.random() < LATE else 0.0
        caller.question = Question(number, walk.model, walk.asked, "", step.x, now, deadline, step=step)
        caller.fields = entry(caller.question, step, self._numbers.id(number), caller.random.random() < JSON)
        caller.fields["reply"] = self._stream
        if caller.random.random() < BAD:
            caller.bad = self._bad(caller.random, step)

    def _bad(self, draw: random.Random, step: Step) -> tuple[Question, Fields]:
        """The same step, of a shape that is none: it leaves its sequence as it was."""
        number, shape = self._numbers.take(), draw.choice(((1, WIDTH + 1), (2, WIDTH)))
        x, wanted = np.ones(shape, np.float32), frozenset({"input_shape"})
        question = Question(number, step.walk.model, step.walk.asked, "", x, time.monotonic(), wanted=wanted)
        return question, entry(question, step, self._numbers.id(number), draw.random() < JSON) | {"reply": self._stream}

    def _write(self, callers: Sequence[Caller]) -> None:
        asked: list[tuple[Question, Try, Fields]] = []
        for question, fields in [caller.bad for caller in callers if caller.bad]:
            asked.append((question, Try(time.time()), fields))
        for caller in [each for one in callers for each in [one] * copies(one)]:
            assert caller.question is not None
            assert caller.question.step is not None
            caller.bad = None
            question = caller.question = replace(caller.question, sent=time.monotonic())
            asked.append((question, caller.question.step.asked(time.time()), caller.fields))
        self._send(asked)

    def _send(self, asked: Sequence[tuple[Question, Try, Fields]]) -> None:
        for question, _, _ in asked:
            self._checker.sent(question)
        written = self._door.write([("scurry:requests", fields) for _, _, fields in asked])
        for (question, tried, _), each in zip(asked, written, strict=True):
            if each.entry:
                tried.came(each.entry)
                self._checker.accepted(question.number, each.entry)
            elif each.refusal:
                self._refused(question, tried)
            else:
                self._checker.doubtful(question.number)

    def _refused(self, question: Question, tried: Try) -> None:
        """Redis took nothing: it was not asked."""
        if question.step is not None:
            question.step.tries.remove(tried)
            question.step.told = "refused by Redis"
        self._checker.not_taken(question)

    def _turn_routes(self) -> None:
        """New sequences go elsewhere from now on; those that are under way stay where they are."""
        self._turn = time.monotonic() + TURN_S
        weight = self._random.choice((0, 20, 50, 80, 100))
        weights = {version: share for version, share in (("1", weight), ("2", 100 - weight)) if share}
        update = json.dumps({"split": {"weights": weights}})
        number, now = self._numbers.take(), time.monotonic()
        change = self._checker.timeline.begin(("tally", TURN), frozenset({number}), now)
        nothing, wanted = np.zeros((1, WIDTH), np.float32), frozenset({"ok", "worker_lost"})
        question = Question(number, "tally", "", "", nothing, now, wanted=wanted, change=change)
        fields: Fields = {"kind": "registry", "model": "tally", "update": update, "id": self._numbers.id(number)}
        self._send([(question, Try(time.time()), fields | {"reply": self._stream, "keep": "0"})])


def begin(model: str, draw: random.Random, numbers: Numbers) -> Walk:
    """A new sequence, named by a number or by text."""
    name = numbers.take()
    length = draw.randrange(1, LONGEST + 1)
    idle_s = float(IDLE_S[model]) if model == "brief" else float("inf")
    asked = draw.choice(NAMES[model])
    return Walk(model, asked, name if draw.random() < 0.5 else f"walk {name}", length, WIDTH, idle_s)


def may_wander(step: Step) -> bool:
    """Whether it begins a sequence with whichever version the routes name: nobody sends such a step again."""
    return step.start and not step.walk.asked and step.walk.model in SHARED


def copies(caller: Caller) -> int:
    """How often a step is sent at once."""
    twice = caller.random.random() < TWICE
    question = caller.question
    return 1 + (twice and not (question is not None and question.step is not None and may_wander(question.step)))


def pause(draw: random.Random, walk: Walk | None) -> float:
    """How long the caller waits before its next step; now and then about as long as the sequence is kept."""
    if walk is not None and walk.model == "brief" and draw.random() < IDLE:
        return IDLE_S["brief"] * draw.uniform(0.8, 1.4)
    return draw.uniform(0.0, PAUSE_S)


def drawn(draw: random.Random) -> Rows:
    """What a step brings: never nothing, and hardly ever twice the same."""
    return np.array([[draw.randrange(1, LARGEST) for _ in range(WIDTH)]], np.float32)


def parameters(step: Step) -> dict[str, str | int | bool]:
    """Which step of which sequence it is."""
    told: dict[str, str | int | bool] = {"sequence_id": step.walk.name}
    return told | {name: True for name, on in (("sequence_start", step.start), ("sequence_end", step.end)) if on}


def document(step: Step, x: Rows) -> str:
    """A step as Open Inference Protocol JSON."""
    return json.dumps(json.loads(body_json(x)) | {"parameters": parameters(step)})


def entry(question: Question, step: Step, request_id: str, as_json: bool) -> Fields:
    """The fields that ask a step. Its result is kept: who asks again gets the same answer."""
    fields: Fields = {"model": question.model, "id": request_id, "keep": str(KEPT_S)}
    if as_json:
        fields["inputs"] = document(step, question.x)
    else:
        tensor = Tensor(name="x", datatype="FP32", shape=question.x.shape, data=question.x.astype("<f4").tobytes())
        request = InferRequest(inputs=[tensor])
        for name, value in parameters(step).items():
            setattr(request.parameters[name], KINDS[type(value)], value)
        fields["request"] = request.SerializeToString()
    if question.asked:
        fields["version"] = question.asked
    if question.deadline:
        fields["deadline"] = str(int(question.deadline * 1000))
    return fields
