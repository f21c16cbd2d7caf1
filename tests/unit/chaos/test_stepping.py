"""Callers of sequences: the same entry until it is answered, one step after the other, and the model that adds up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tests.chaos import stepping
from tests.chaos.checker import Checker
from tests.chaos.claims import Content, Seen
from tests.chaos.door import Written
from tests.chaos.mix import Numbers
from tests.chaos.models import save_steps
from tests.chaos.stepping import Crowd, Stepping, begin
from tests.unit.chaos.test_checker import checker, wrongs

from scurry.wire import sequences
from scurry.wire.infer_pb2 import InferRequest

__all__ = ["checker"]


class Paper:
    """A door that keeps what is written."""

    def __init__(self) -> None:
        self.entries: list[dict[str, str | bytes]] = []
        self.outcome = Written(entry="1000-0")

    def write(self, entries: Sequence[tuple[str, Mapping[str, str | bytes]]]) -> list[Written]:
        """Keep them."""
        self.entries += [dict(fields) for _, fields in entries]
        return [self.outcome] * len(entries)


@pytest.fixture
def paper() -> Paper:
    """Nothing is written yet."""
    return Paper()


@pytest.fixture
def callers(checker: Checker, paper: Paper, monkeypatch: pytest.MonkeyPatch) -> Stepping:
    """One caller who never asks twice by chance and never sets a deadline."""
    for name in ("TWICE", "LATE", "BAD", "PAUSE_S"):
        monkeypatch.setattr(stepping, name, 0.0)
    monkeypatch.setattr(stepping, "SHARED", frozenset())
    door: Any = paper
    return Stepping(door, checker, Numbers("t"), "replies", Crowd(("tally",), 1, 1))


def turn(callers: Stepping, now: float) -> bool:
    """One beat; whether anything was asked."""
    (caller,) = callers._callers
    asked = callers._next(caller, now)
    if asked:
        callers._write([caller])
        assert caller.question is not None
        object.__setattr__(caller.question, "sent", now)
    return asked


def answer(callers: Stepping, checker: Checker, error: str = "") -> None:
    """The step under way is answered."""
    question = callers._callers[0].question
    assert question is not None
    total = (question.x + question.step.walk.total) if question.step else question.x
    y, s = Content("line", 1, 0).answer(total)
    checker.replied(Seen(question.number, 1.0, "1", error, y=None if error else y, s=None if error else s))


def test_a_step_waits_for_the_one_before(callers: Stepping, checker: Checker, paper: Paper) -> None:
    """And is asked again, the same to the byte, when nobody answers."""
    assert turn(callers, 100.0)
    assert not turn(callers, 110.0)
    assert turn(callers, 100.0 + stepping.AGAIN_S + 1)
    assert paper.entries[0] == paper.entries[1]
    answer(callers, checker)
    assert turn(callers, 200.0)
    assert paper.entries[2]["id"] != paper.entries[1]["id"]
    assert sum(read(each)[0] == read(paper.entries[0])[0] for each in paper.entries) == 3


def test_no_first_step_is_sent_again_where_shares_change(
    callers: Stepping, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might begin its sequence with another version: another sequence is begun instead."""
    monkeypatch.setattr(stepping, "SHARED", frozenset({"tally"}))
    monkeypatch.setattr(stepping, "NAMES", {"tally": ("",)})
    monkeypatch.setattr(stepping, "TWICE", 1.0)
    assert turn(callers, 100.0)
    assert len(paper.entries) == 1
    assert turn(callers, 100.0 + stepping.AGAIN_S + 1)
    assert len({read(each)[0] for each in paper.entries}) == len(paper.entries) == 2


def test_a_refusal_is_asked_again_soon(callers: Stepping, checker: Checker, paper: Paper) -> None:
    """Whether the system said so, or Redis."""
    turn(callers, 100.0)
    answer(callers, checker, "overloaded")
    paper.outcome = Written(refusal="OOM")
    assert not turn(callers, 100.1)
    assert turn(callers, 100.6)
    assert turn(callers, 101.2)
    assert len({json.dumps({name: str(value) for name, value in each.items()}) for each in paper.entries}) == 1
    assert callers._callers[0].walk is not None
    assert [len(step.tries) for step in [callers._callers[0].walk.step] if step] == [1]


def test_a_bad_step_is_sent_before_a_sound_one(
    callers: Stepping, checker: Checker, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same sequence, once, under an id of its own."""
    monkeypatch.setattr(stepping, "BAD", 1.0)
    turn(callers, 100.0)
    turn(callers, 100.0 + stepping.AGAIN_S + 1)
    bad, *sound = paper.entries
    assert len(sound) == 2
    assert bad["id"] != sound[0]["id"]
    assert read(bad) == read(sound[0])
    number = Numbers("t").number(str(bad["id"]))
    assert number is not None
    checker.replied(Seen(number, 1.0, error="input_shape"))
    assert checker.waiting == 1
    assert checker.ledger.steps.total() == 0


def test_shares_change_and_their_answer_says_which_hold(callers: Stepping, checker: Checker, paper: Paper) -> None:
    """Until then the former ones may."""
    callers._turn_routes()
    (entry,) = paper.entries
    assert set(json.loads(str(entry["update"]))["split"]["weights"]) <= {"1", "2"}
    number = Numbers("t").number(str(entry["id"]))
    assert number is not None
    assert len(checker.timeline.spans(("tally", "turn"), 0.0, 1e12)) == 2
    checker.replied(Seen(number, 1e12))
    assert len(checker.timeline.spans(("tally", "turn"), 1e12 + 1, 1e12 + 1)) == 1
    assert wrongs(checker) == {}


def read(fields: Mapping[str, str | bytes]) -> tuple[str, bool, bool]:
    """Id, start and end, as the system reads them."""
    if "inputs" in fields:
        return sequences.read(json.loads(fields["inputs"])["parameters"])
    body = fields["request"]
    assert isinstance(body, bytes)
    given = InferRequest.FromString(body).parameters
    return sequences.read({name: getattr(each, each.WhichOneof("value") or "") for name, each in given.items()})


@pytest.mark.parametrize("as_json", [True, False])
def test_a_step_says_which_it_is(checker: Checker, as_json: bool) -> None:
    """Its sequence by number or text, its first and its last step."""
    draw = Crowd((), 3, 1).draws()[0]
    for _ in range(10):
        walk = begin("tally", draw, Numbers("t"))
        walk.length = 2
        for start, end in ((True, False), (False, True)):
            step = checker.step(walk, stepping.drawn(draw), 0.0, 1)
            question = stepping.Question(1, "tally", "2", "", step.x, 0.0, 9.0, step=step)
            fields = stepping.entry(question, step, "id", as_json)
            assert read(fields) == (str(walk.name), start, end)
            assert (fields["version"], fields["deadline"]) == ("2", "9000")
            walk.done.append(step)


def test_the_model_adds_up_what_steps_bring(tmp_path: Path) -> None:
    """As the content of its version says, to the bit, after as many steps as a sequence may have."""
    content, total = Content("line", 39, 399), np.zeros((1, 4), np.float32)
    path = save_steps(tmp_path / "steps.onnx", content)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.full((1, 4), stepping.LARGEST - 1, np.float32)
    for _ in range(stepping.LONGEST):
        y, s, total = session.run(["y", "s", "after"], {"x": x, "before": total})
    exact = (stepping.LARGEST - 1) * stepping.LONGEST
    assert y.tolist() == [[exact * 39 + 399] * 4]
    assert s.tolist() == [[exact * 4]]
    assert all(np.array_equal(one, other) for one, other in zip(content.answer(total), (y, s), strict=True))


def test_nothing_is_asked_of_models_that_are_not_wanted(checker: Checker, paper: Paper) -> None:
    """`--models plain-0` steps nothing."""
    door: Any = paper
    callers = Stepping(door, checker, Numbers("t"), "replies", Crowd((), 1, 1))
    callers.run()
    assert not paper.entries
    assert callers.failure is None
    assert wrongs(checker) == {}
