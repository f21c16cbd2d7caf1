"""Versions that go."""

from __future__ import annotations

import pytest

from scurry.registry.leaving import begin_drain, drop
from scurry.registry.steps import Answer, AskUnload, Progress
from scurry.wire.messages_pb2 import DRAINING, LOADING, READY, ModelSpec, Record, Unregister, Update, VersionRecord


def progress(*states: int) -> Progress:
    """A model with a version in each state; an alias stands for each."""
    record = Record(model="m")
    for number, state in enumerate(states, 1):
        spec = ModelSpec(generation=number, identity=f"i{number}")
        record.versions.add(version=str(number), state=state, spec=spec)  # type: ignore[arg-type]
        record.aliases[f"a{number}"] = str(number)
        record.weights[str(number)] = number
    return Progress(record)


def first(made: Progress) -> VersionRecord:
    """Its first version."""
    return made.record.versions[0]


@pytest.mark.parametrize(("state", "drains"), [(READY, True), (DRAINING, True), (LOADING, False)])
def test_what_takes_requests_finishes_them_first(state: int, drains: bool) -> None:
    """Its names and its share go at once; what only loads can go as well, and who waits for it is told."""
    made = progress(state, READY)
    first(made).waiting.add(id="u")
    assert begin_drain(made, first(made)) is drains
    assert (dict(made.record.aliases), dict(made.record.weights)) == ({"a2": "2"}, {"2": 2})
    assert (first(made).state == DRAINING) is drains
    assert [each.code for each in made.effects if isinstance(each, Answer)] == ([] if drains else ["load_failed"])


def test_what_is_dropped_is_unloaded_everywhere() -> None:
    """What it replaced and is still left as well; who asked for it is answered."""
    made = progress(DRAINING)
    first(made).former.add(generation=0, identity="i0")
    first(made).waiting.append(Update(id="u", unregister=Unregister(version="1")))
    drop(made, first(made))
    assert not made.record.versions
    assert [each.identity for each in made.effects if isinstance(each, AskUnload)] == ["i0", "i1"]
    assert [each.update.id for each in made.effects if isinstance(each, Answer)] == ["u"]


def test_who_waits_for_the_whole_model_waits_for_the_last() -> None:
    """Another version still drains."""
    made = progress(DRAINING, DRAINING)
    first(made).waiting.append(Update(id="u", unregister=Unregister()))
    drop(made, first(made))
    assert not [each for each in made.effects if isinstance(each, Answer)]
    drop(made, first(made))
    assert [each.update.id for each in made.effects if isinstance(each, Answer)] == ["u"]
