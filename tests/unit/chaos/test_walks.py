"""Sequences in the checker: a step doubled, lost, leaked or by another version is found; the contract's answers not."""

from __future__ import annotations

import numpy as np
import pytest
from tests.chaos.checker import Checker
from tests.chaos.claims import Question, Rows, Seen
from tests.chaos.walks import GONE_ON, HUNG, Step, Walk
from tests.unit.chaos.test_checker import ONE, TWO, checker, wrongs

__all__ = ["checker"]

BASE = 1_000_000.0
"""When sequences begin, epoch seconds."""
COMPUTED = f"The deadline passed 5 ms ago; {GONE_ON}."


def walk(length: int = 20, **fields: object) -> Walk:
    """A sequence of model m."""
    return Walk("m", "", 7, length, 4, **fields)  # type: ignore[arg-type]


class Script:
    """A caller whose sequence is stepped once a second."""

    def __init__(self, checker: Checker, of: Walk, first: int = 1) -> None:
        self.checker, self.walk, self.number, self.now = checker, of, first - 1, BASE

    def ask(self, *, deadline: float = 0.0, after: float = 1.0) -> Question:
        """The next step, which Redis takes; each brings other numbers."""
        self.number += 1
        self.now += after
        x = np.array([[self.number * 10, 1, 2, 3]], np.float32)
        step = self.checker.step(self.walk, x, float(self.number), self.number)
        question = Question(self.number, "m", "", "", x, float(self.number), deadline, step=step)
        self.send(question)
        return question

    def send(self, question: Question) -> None:
        """An entry of it, the first one or one more."""
        assert question.step is not None
        self.checker.sent(question)
        question.step.asked(self.now).came(f"{round(self.now * 1000)}-0")
        self.checker.accepted(question.number, f"{round(self.now * 1000)}-0")

    def step(self, total: Rows | None = None, version: str = "1", **more: float) -> Seen:
        """A step and its answer: that of its sum, unless another is told."""
        question = self.ask(**more)
        return self.told(question, question.x + self.walk.total if total is None else total, version)

    def told(self, question: Question, total: Rows, version: str = "1") -> Seen:
        """It is answered."""
        y, s = (ONE if version == "1" else TWO).answer(total)
        seen = Seen(question.number, question.number + 0.5, version, y=y, s=s)
        self.checker.replied(seen)
        return seen

    def fail(self, question: Question, code: str, message: str = "") -> None:
        """It is told an error."""
        self.checker.replied(Seen(question.number, question.number + 0.5, "", code, message))


@pytest.fixture
def script(checker: Checker) -> Script:
    """One sequence of which three steps were answered."""
    made = Script(checker, walk())
    for _ in range(3):
        made.step()
    return made


def last(script: Script) -> Step:
    """The step answered last."""
    return script.walk.done[-1]


def next_x(script: Script) -> Rows:
    """What the next step will bring."""
    return np.array([[(script.number + 1) * 10, 1, 2, 3]], np.float32)


def test_sums_hold_from_the_first_step_to_the_last(checker: Checker) -> None:
    """Then it is over."""
    script = Script(checker, walk(3))
    for _ in range(3):
        script.step()
    assert script.walk.over
    ledger = checker.finish()
    assert ledger.holds
    assert {name: ledger.steps[name] for name in ("sequences begun", "sequences ended", "steps answered")} == {
        "sequences begun": 1, "sequences ended": 1, "steps answered": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reading", "total"),
    [
        ("step 2 twice", lambda one: one.walk.total + last(one).x + next_x(one)),
        ("step 3 twice", lambda one: one.walk.total + 2 * next_x(one)),
        ("without step 1", lambda one: one.walk.total - one.walk.done[1].x + next_x(one)),
        ("begun anew", next_x),
        ("off by 500", lambda one: one.walk.total + next_x(one) + np.array([[500, 0, 0, 0]], np.float32)),
        ("the sum is right, the rest is not", lambda one: one.walk.total[:, ::-1] + next_x(one)),
    ],
)
def test_a_planted_sum_is_found(script: Script, checker: Checker, reading: str, total: object) -> None:
    """A step that counts twice, or not at all, and a state of somebody else."""
    script.step(total(script))  # type: ignore[operator]
    assert wrongs(checker) == {"steps_wrong": 1}
    assert reading in checker.ledger.examples["steps_wrong"][0]


def test_a_double_step_is_found_at_each_step_behind_it(script: Script, checker: Checker) -> None:
    """The checker does not come to believe it."""
    extra = last(script).x
    script.step(script.walk.total + extra + next_x(script))
    script.step(script.walk.total + extra + next_x(script))
    assert wrongs(checker) == {"steps_wrong": 2}


def test_another_version_is_found(script: Script, checker: Checker) -> None:
    """Also where its own factor proves it, and where it is hidden behind the right stamp."""
    script.step(version="2")
    assert wrongs(checker) == {"wrong_version": 1}
    question = script.ask()
    y, s = TWO.answer(question.x + script.walk.total)
    checker.replied(Seen(question.number, question.number + 0.5, "1", y=y, s=s))
    assert wrongs(checker) == {"wrong_version": 1, "steps_wrong": 1}


def test_who_begins_while_routes_change_may_be_begun_anew(checker: Checker) -> None:
    """By a restored job, with the other version; not who began before the change, or once it was answered."""
    change = checker.timeline.begin(("m", "turn"), frozenset({1}), 0.5)
    script = Script(checker, walk())
    script.step()
    change.settle(2.0, applied=True)
    script.step(version="2")
    script.step(version="2")
    assert wrongs(checker) == {}
    assert checker.ledger.steps["sequences begun anew by another version"] == 1
    later = Script(checker, walk(), 50)
    later.step()
    later.step(version="2")
    assert wrongs(checker) == {"wrong_version": 1}


def test_who_asks_twice_gets_the_same_answer_twice(script: Script, checker: Checker) -> None:
    """And the sum goes on from it once; another second answer is found."""
    question = script.ask()
    script.send(question)
    total = question.x + script.walk.total
    script.told(question, total)
    script.told(question, total)
    script.step()
    assert wrongs(checker) == {}
    question = script.ask()
    script.send(question)
    total = question.x + script.walk.total
    script.told(question, total)
    script.told(question, total + question.x)
    assert wrongs(checker) == {"conflicts_missed": 1}


def test_a_step_that_was_late_has_counted(script: Script, checker: Checker) -> None:
    """The contract: it is computed all the same. One that was not is found by the next one."""
    script.fail(script.ask(deadline=5.0), "deadline_exceeded", COMPUTED)
    script.step()
    assert wrongs(checker) == {}
    assert checker.ledger.steps["steps told their deadline, and computed"] == 1
    question = script.ask(deadline=5.0)
    script.fail(question, "deadline_exceeded", COMPUTED)
    script.step(script.walk.total - question.x + next_x(script))
    assert wrongs(checker) == {"steps_wrong": 1}


def test_a_deadline_told_without_computing_is_found(script: Script, checker: Checker) -> None:
    """A step that was taken in is computed, be it late; a model that hung is said to have."""
    question = script.ask(deadline=5.0)
    script.fail(question, "deadline_exceeded", f"The model {HUNG} 3 s")
    script.step()
    assert wrongs(checker) == {}
    script.fail(script.ask(deadline=5.0), "deadline_exceeded", "The deadline passed before it reached a worker.")
    assert wrongs(checker) == {"steps_wrong": 1}


def test_a_refused_step_is_asked_again_and_counts_once(script: Script, checker: Checker) -> None:
    """Its refusal leaves the sequence as it was."""
    question = script.ask()
    script.fail(question, "overloaded")
    assert question.step is not None
    assert question.step.state == "open"
    script.send(question)
    script.told(question, question.x + script.walk.total)
    script.step()
    assert wrongs(checker) == {}


@pytest.mark.parametrize(("after", "wrong"), [(5.9, {"sequences_lost": 1}), (6.1, {})])
def test_a_sequence_may_be_gone_once_it_was_idle_for_too_long(
    checker: Checker, after: float, wrong: dict[str, int]
) -> None:
    """By when its entries came, not by when anybody computed."""
    script = Script(checker, walk(idle_s=6.0))
    script.step()
    script.fail(script.ask(after=after), "sequence_not_found")
    assert wrongs(checker) == wrong
    assert script.walk.over


def test_a_sequence_that_was_idle_for_too_long_must_be_gone(checker: Checker) -> None:
    """Whoever answers it has kept it longer than he says; where an entry's time is not known, nobody can tell."""
    script = Script(checker, walk(idle_s=6.0))
    script.step()
    script.step(after=5.9)
    assert wrongs(checker) == {}
    last(script).tries[0].high = float("inf")
    script.step(after=7.0)
    assert wrongs(checker) == {}
    script.step(after=7.0)
    assert wrongs(checker) == {"steps_wrong": 1}


def test_a_sequence_that_is_kept_is_never_unknown(script: Script, checker: Checker) -> None:
    """Nor is a first step."""
    script.fail(script.ask(), "sequence_not_found")
    assert wrongs(checker) == {"sequences_lost": 1}
    script.fail(Script(checker, walk(), 50).ask(), "sequence_not_found")
    assert wrongs(checker) == {"sequences_lost": 2}


def test_what_redis_lost_may_be_missing_from_then_on_and_nothing_else(script: Script, checker: Checker) -> None:
    """A job that goes back to a checkpoint does not meet it again; once it is missing it stays so."""
    lost = script.walk.done[2]
    checker.redis_lost(3.2, 3.9, {3})
    script.step()
    script.step(script.walk.total - lost.x + next_x(script))
    assert wrongs(checker) == {}
    script.step()
    assert wrongs(checker) == {}
    script.step(script.walk.total + lost.x + next_x(script))
    assert wrongs(checker) == {"steps_wrong": 1}


def test_of_what_redis_lost_an_older_step_is_not_missing_alone(script: Script, checker: Checker) -> None:
    """The stream lacks its end, and a checkpoint holds a beginning."""
    checker.redis_lost(2.2, 3.9, {2, 3})
    before = script.walk.done[1].x
    script.step(script.walk.total - before + next_x(script))
    assert wrongs(checker) == {"steps_wrong": 1}
    script.step(script.walk.total - before - script.walk.done[2].x + next_x(script))
    assert wrongs(checker) == {"steps_wrong": 1}


def test_a_sequence_whose_beginning_redis_lost_may_be_gone(checker: Checker) -> None:
    """But not for ever, and no other one."""
    one, other = Script(checker, walk()), Script(checker, walk(), 50)
    one.step()
    other.step()
    checker.redis_lost(1.0, 1.9, {1})
    one.fail(one.ask(), "sequence_not_found")
    assert wrongs(checker) == {}
    other.fail(other.ask(), "sequence_not_found")
    assert wrongs(checker) == {"sequences_lost": 1}


def test_an_answer_that_redis_lost_is_told_as_such(script: Script, checker: Checker) -> None:
    """The step counts; to one of which Redis lost nothing that is no answer."""
    question = script.ask()
    checker.redis_lost(4.0, 4.2, set())
    script.send(question)
    script.fail(question, "already_answered")
    script.step()
    assert wrongs(checker) == {}
    script.fail(script.ask(), "already_answered")
    assert wrongs(checker) == {"steps_wrong": 1}


def test_an_open_step_that_redis_lost_counts_or_not_until_it_is_asked_again(script: Script, checker: Checker) -> None:
    """Answered from the entry that is gone it may be missing later; from another one not."""
    question = script.ask()
    checker.redis_lost(4.0, 4.2, {4})
    script.told(question, question.x + script.walk.total)
    script.step(script.walk.total - question.x + next_x(script))
    question = script.ask()
    checker.redis_lost(6.0, 6.2, {6})
    script.send(question)
    script.told(question, question.x + script.walk.total)
    assert wrongs(checker) == {}
    script.step(script.walk.total - question.x + next_x(script))
    assert wrongs(checker) == {"steps_wrong": 1}


def test_an_end_that_was_asked_again_after_redis_lost_its_answer_is_unknown(checker: Checker) -> None:
    """It ended its sequence."""
    script = Script(checker, walk(2))
    script.step()
    question = script.ask()
    checker.redis_lost(2.0, 2.2, set())
    script.send(question)
    script.fail(question, "sequence_not_found")
    assert wrongs(checker) == {}
