"""One id with two inputs: the checker finds every answer that nobody asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.chaos.checker import Checker
from tests.chaos.claims import Question, Seen
from tests.unit.chaos.test_checker import answer, ask, checker, question, wrongs

__all__ = ["checker"]

OTHER = np.array([[9, 9, 9, 9]], np.float32)


def clash(checker: Checker) -> Question:
    """An id that was answered, and is sent again: with another input, then with the first."""
    first = ask(checker, 1, more=2)
    checker.replied(answer(first))
    assert checker.waiting == 1
    ask(checker, 1, x=OTHER)
    ask(checker, 1)
    return first


CONFLICT = Seen(1, 2.5, error="id_conflict")


def test_another_input_under_an_id_is_a_conflict_and_the_first_answer_stands(checker: Checker) -> None:
    """One of each, in whichever order."""
    first = clash(checker)
    checker.replied(CONFLICT)
    checker.replied(answer(first))
    assert checker.waiting == 0
    assert wrongs(checker) == {}
    assert checker.ledger.errors == {"id_conflict": 1}


def test_another_input_that_was_answered_as_the_first_is_found(checker: Checker) -> None:
    """Three answers, all the first one: nobody told the caller that his input was not looked at."""
    first = clash(checker)
    checker.replied(answer(first))
    checker.replied(answer(first))
    assert wrongs(checker) == {"conflicts_missed": 1}


def test_another_input_that_was_answered_by_itself_is_found(checker: Checker) -> None:
    """The id then has two answers."""
    first = clash(checker)
    checker.replied(answer(replace(first, x=OTHER)))
    checker.replied(answer(first))
    assert wrongs(checker) == {"conflicts_missed": 1}


def test_a_conflict_with_the_same_input_is_found(checker: Checker) -> None:
    """Of a plain retry, of the last of three, and of an id that was used once."""
    clash(checker)
    checker.replied(CONFLICT)
    checker.replied(CONFLICT)
    for _ in range(2):
        ask(checker, 2)
    checker.replied(replace(CONFLICT, number=2))
    ask(checker, 3)
    checker.replied(replace(CONFLICT, number=3))
    checker.replied(answer(question(2)))
    assert wrongs(checker) == {"conflicts_missed": 2, "innocents_failed": 1}


def test_a_refused_first_entry_leaves_the_id_to_the_other_input(checker: Checker) -> None:
    """The first input is then the conflict."""
    first = ask(checker, 1, more=2)
    checker.replied(Seen(1, 1.5, error="overloaded"))
    ask(checker, 1, x=OTHER)
    ask(checker, 1)
    checker.replied(answer(replace(first, x=OTHER)))
    checker.replied(CONFLICT)
    assert wrongs(checker) == {}


def test_what_redis_forgot_may_be_answered_to_the_other_input(checker: Checker) -> None:
    """Its marker is gone."""
    first = ask(checker, 1, more=2)
    checker.replied(answer(first))
    checker.redis_lost(1.0, 2.0, set())
    ask(checker, 1, x=OTHER)
    ask(checker, 1)
    checker.replied(answer(replace(first, x=OTHER)))
    checker.replied(CONFLICT)
    checker.replied(CONFLICT)
    assert wrongs(checker) == {}


def test_of_two_inputs_redis_may_take_either_or_none(checker: Checker) -> None:
    """What it did not take is not waited for, and what it took is still told apart."""
    for taken in range(3):
        number = taken + 1
        first = ask(checker, number, more=2)
        checker.replied(answer(first))
        other, again = question(number, x=OTHER), question(number)
        for each in (other, again):
            checker.sent(each)
        if taken != 1:
            checker.not_taken(other)
        if taken != 2:
            checker.not_taken(again)
        assert checker.waiting == (taken > 0)
        if taken == 1:
            checker.replied(replace(CONFLICT, number=number))
        if taken == 2:
            checker.replied(answer(first))
        assert checker.waiting == 0
    assert wrongs(checker) == {}
