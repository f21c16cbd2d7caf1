"""The checker finds what is planted: losses, duplicates, swaps, wrong versions, and excuses only what is promised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.chaos.checker import Checker
from tests.chaos.claims import Content, Question, Seen
from tests.chaos.timeline import Timeline

ONE, TWO = Content("line", 3, 7), Content("line", 5, 11)


@pytest.fixture
def checker() -> Checker:
    """Model m has versions 1 and 2; requests without a version go to both, the alias `a` is 1."""
    timeline = Timeline()
    for name, meaning in {("1",): "1", ("2",): "2", ("a",): "1", ("=", "1"): ONE, ("=", "2"): TWO}.items():
        timeline.state(("m", *name), frozenset({meaning}), 0.0)
    timeline.state(("m", ""), frozenset({"1", "2"}), 0.0)
    return Checker(timeline)


def question(number: int, asked: str = "", **fields: object) -> Question:
    """A request whose only row holds its own number."""
    x = np.array([[number, 1, 2, 3]], np.float32)
    return replace(Question(number, "m", asked, "", x, float(number)), **fields)  # type: ignore[arg-type]


def answer(asked: Question, version: str = "1", content: Content = ONE) -> Seen:
    """What a version of this content says to it."""
    y, s = content.answer(asked.x)
    return Seen(asked.number, asked.sent + 0.5, version, y=y, s=s)


def ask(checker: Checker, number: int, asked: str = "", **fields: object) -> Question:
    """Send a request that Redis takes."""
    sent = question(number, asked, **fields)
    checker.sent(sent)
    checker.accepted(number, f"{1000 + number}-0")
    return sent


def wrongs(checker: Checker) -> dict[str, int]:
    """What the ledger says in the end."""
    return dict(+checker.finish().wrongs)


def test_a_run_without_faults_holds(checker: Checker) -> None:
    """Answered once, by a version that was asked for, with what it computes."""
    for number in range(1, 50):
        checker.replied(answer(ask(checker, number)))
    checker.replied(answer(ask(checker, 50, "2"), "2", TWO))
    ledger = checker.finish()
    assert (ledger.answered, ledger.sent, ledger.accepted, ledger.holds) == (50, 50, 50, True)


def test_a_run_in_which_nothing_was_answered_does_not_hold(checker: Checker) -> None:
    """A checker that saw nothing proves nothing."""
    assert not checker.finish().holds


def test_a_planted_loss_is_found(checker: Checker) -> None:
    """One that is never answered."""
    checker.replied(answer(ask(checker, 1)))
    ask(checker, 2)
    assert checker.waiting == 1
    assert wrongs(checker) == {"lost": 1}


@pytest.mark.parametrize("late", [False, True])
def test_a_planted_duplicate_is_found(checker: Checker, late: bool) -> None:
    """A second reply to one entry, at once or long after it was settled."""
    reply = answer(ask(checker, 1))
    checker.replied(reply)
    for number in range(2, 100 if late else 2):
        checker.replied(answer(ask(checker, number)))
    checker.replied(reply)
    assert wrongs(checker) == {"duplicated": 1}


def test_a_duplicate_that_is_an_error_is_found(checker: Checker) -> None:
    """An answer, and a refusal of the same entry."""
    checker.replied(answer(ask(checker, 1)))
    checker.replied(Seen(1, 2.0, error="overloaded"))
    assert wrongs(checker) == {"duplicated": 1}


def test_two_answers_that_were_swapped_are_found(checker: Checker) -> None:
    """Each caller got what belongs to the other."""
    one, two = ask(checker, 1), ask(checker, 2)
    checker.replied(replace(answer(one), number=2))
    checker.replied(replace(answer(two), number=1))
    assert wrongs(checker) == {"wrong_value": 2}


@pytest.mark.parametrize("output", ["y", "s"])
def test_one_wrong_bit_is_found(checker: Checker, output: str) -> None:
    """In either output."""
    reply = answer(ask(checker, 1))
    value = getattr(reply, output).copy()
    value[0, 0] = np.nextafter(value[0, 0], np.float32(1e9))
    checker.replied(replace(reply, **{output: value}))
    assert wrongs(checker) == {"wrong_value": 1}


def test_an_answer_without_its_outputs_is_found(checker: Checker) -> None:
    """Or of another shape."""
    checker.replied(replace(answer(ask(checker, 1)), s=None))
    reply = answer(ask(checker, 2))
    checker.replied(replace(reply, y=np.vstack([reply.y, reply.y])))  # type: ignore[list-item]
    assert wrongs(checker) == {"wrong_value": 2}


@pytest.mark.parametrize("asked", ["2", "a"])
def test_a_version_that_was_not_asked_for_is_found(checker: Checker, asked: str) -> None:
    """By its own name or by an alias, though the value is right for the version stamped."""
    version, content = ("1", ONE) if asked == "2" else ("2", TWO)
    checker.replied(answer(ask(checker, 1, asked), version, content))
    assert wrongs(checker) == {"wrong_version": 1}


def test_an_answer_by_another_version_than_stamped_is_found(checker: Checker) -> None:
    """It says 1 and computed as 2."""
    checker.replied(answer(ask(checker, 1), "1", TWO))
    assert wrongs(checker) == {"wrong_value": 1}


def test_a_key_that_falls_on_two_versions_is_found(checker: Checker) -> None:
    """While the routes stand still."""
    checker.replied(answer(ask(checker, 1, key="k"), "1", ONE))
    checker.replied(answer(ask(checker, 2, key="k"), "2", TWO))
    checker.timeline.state(("m", ""), frozenset({"2"}), 4.0)
    checker.replied(answer(ask(checker, 5, key="k"), "2", TWO))
    assert wrongs(checker) == {"wrong_version": 1}


def test_a_version_counts_only_while_it_was_routed_to(checker: Checker) -> None:
    """An answer of the former version is right as long as the change is under way, wrong once it is done."""
    change = checker.timeline.begin(("m", ""), frozenset({"2"}), 10.0)
    checker.replied(answer(ask(checker, 11), "1", ONE))
    change.settle(12.0, applied=True)
    assert not +checker.ledger.wrongs
    checker.replied(answer(ask(checker, 13), "1", ONE))
    assert wrongs(checker) == {"wrong_version": 1}


@pytest.mark.parametrize(
    ("code", "figure"),
    [
        ("overloaded", ""), ("model_not_ready", ""), ("unavailable", ""), ("model_not_found", "denied"),
        ("version_not_found", "denied"), ("worker_lost", "innocents_failed"), ("internal", "innocents_failed"),
        ("already_answered", "innocents_failed"), ("deadline_exceeded", "innocents_failed"),
    ],
)  # fmt: skip
def test_errors_on_sound_requests(checker: Checker, code: str, figure: str) -> None:
    """A refusal is told; everything else must not be."""
    checker.replied(answer(ask(checker, 1)))
    ask(checker, 2)
    checker.replied(Seen(2, 2.5, error=code))
    assert wrongs(checker) == ({figure: 1} if figure else {})
    assert checker.ledger.errors == {code: 1}


@pytest.mark.parametrize(
    ("entries", "seconds", "figure"),
    [(2, 121, ""), (2, 119, "innocents_failed"), (1, 121, "innocents_failed")],
)
def test_a_second_answer_may_come_when_the_first_is_gone(
    checker: Checker, entries: int, seconds: float, figure: str
) -> None:
    """After an outage as long as results are kept; not before, and not to who asked once."""
    for _ in range(entries):
        asked = ask(checker, 1, kept=True)
    for _ in range(entries - 1):
        checker.replied(answer(asked))
    checker.replied(Seen(1, 1.0 + seconds, error="already_answered"))
    assert wrongs(checker) == ({figure: 1} if figure else {})


def test_a_deadline_may_pass(checker: Checker) -> None:
    """Of a request that has one."""
    ask(checker, 1, deadline=5.0)
    checker.replied(Seen(1, 2.0, error="deadline_exceeded"))
    assert wrongs(checker) == {}


def test_not_found_is_right_while_the_name_may_be_gone(checker: Checker) -> None:
    """During an unregister, and after it."""
    change = checker.timeline.begin(("m", "2"), frozenset(), 2.0)
    ask(checker, 3, "2")
    checker.replied(Seen(3, 3.5, error="version_not_found"))
    change.settle(4.0, applied=True)
    ask(checker, 5, "2")
    checker.replied(Seen(5, 5.5, error="version_not_found"))
    assert wrongs(checker) == {}


def test_poison_must_end_in_its_error(checker: Checker) -> None:
    """An answer is wrong, and so is another code."""
    for number in (1, 2, 3):
        ask(checker, number, wanted=frozenset({"input_shape"}))
    checker.replied(Seen(1, 1.5, error="input_shape"))
    checker.replied(Seen(2, 2.5, error="internal"))
    checker.replied(answer(question(3)))
    assert wrongs(checker) == {"poison_answered": 2}


def test_a_retry_is_answered_once_for_each_entry(checker: Checker) -> None:
    """Two entries with one id: two replies, the same; a third is a duplicate."""
    reply = answer(ask(checker, 1))
    ask(checker, 1)
    checker.replied(reply)
    assert checker.waiting == 1
    checker.replied(reply)
    assert (checker.waiting, +checker.ledger.wrongs) == (0, {})
    checker.replied(reply)
    assert wrongs(checker) == {"duplicated": 1}


def test_a_retry_with_another_answer_is_found(checker: Checker) -> None:
    """Both versions may answer, but not both to one id."""
    sent = ask(checker, 1)
    ask(checker, 1)
    checker.replied(answer(sent, "1", ONE))
    checker.replied(answer(sent, "2", TWO))
    assert wrongs(checker) == {"conflicts_missed": 1}


def test_a_reply_to_nobody_is_found(checker: Checker) -> None:
    """An id that was never sent, or none of ours."""
    checker.replied(Seen(7, 1.0))
    checker.replied(Seen(-1, 1.0))
    assert wrongs(checker) == {"strays": 2}


def test_what_is_in_doubt_may_be_answered_or_not_but_not_twice(checker: Checker) -> None:
    """The connection broke while it was written."""
    for number in (1, 2, 3):
        checker.sent(question(number))
        checker.doubtful(number)
    checker.replied(answer(question(1)))
    checker.replied(answer(question(2)))
    checker.replied(answer(question(2)))
    assert checker.waiting == 0
    assert wrongs(checker) == {"duplicated": 1}
    assert checker.ledger.in_doubt == 3


def test_what_redis_did_not_take_needs_no_answer(checker: Checker) -> None:
    """It said so; an answer all the same is one to nobody."""
    asked = question(1)
    checker.sent(asked)
    checker.not_taken(asked)
    assert checker.waiting == 0
    checker.replied(answer(question(1)))
    assert wrongs(checker) == {"strays": 1}


def test_an_innocent_dead_letter_is_found(checker: Checker) -> None:
    """Poison may die."""
    ask(checker, 1, wanted=frozenset({"worker_lost"}))
    ask(checker, 2)
    checker.died(1, "x")
    checker.died(2, "x")
    assert checker.ledger.wrongs == {"innocents_failed": 1}
    assert checker.ledger.dead == 2


def test_an_entry_that_redis_lost_may_be_answered_once(checker: Checker) -> None:
    """The job had read it before: that is no answer to what nobody sent. None is no loss."""
    for number in (1, 2):
        question = ask(checker, number)
    checker.redis_lost(0.0, 9.0, {1, 2})
    checker.replied(answer(question))
    assert wrongs(checker) == {}
    assert checker.ledger.gone_with_redis == 1
    checker.replied(answer(question))
    assert checker.ledger.wrongs == {"duplicated": 1}


def test_what_redis_lost_is_excused_exactly(checker: Checker) -> None:
    """Entries it has no more, second answers to what it forgot, answers nobody could read; nothing older or newer."""
    old = ask(checker, 1)
    checker.replied(answer(old))  # seen at 1.5
    forgotten = ask(checker, 2)
    checker.replied(answer(forgotten))  # seen at 2.5
    for number in (3, 4):
        ask(checker, number)
    assert checker.entries_after("1003-0") == {4}
    checker.redis_lost(2.0, 4.5, {4})
    checker.replied(answer(forgotten))
    checker.replied(answer(old))
    ask(checker, 9)
    assert wrongs(checker) == {"duplicated": 1, "lost": 1}
    assert checker.ledger.gone_with_redis == 2
