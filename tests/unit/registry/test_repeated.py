"""Registry messages that come again."""

from __future__ import annotations

import pytest
from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.record import weights_of
from scurry.registry.repeated import MOST
from scurry.wire.messages_pb2 import ENDED, READY, RUNNING, Drained, LoadFailed


def settled() -> Course:
    """Two versions; version 1 has the requests."""
    return ready("1", "2").on(update("promote", version="1"))


@pytest.mark.parametrize(
    ("verb", "fields", "later"),
    [
        ("promote", {"version": "2"}, ("promote", {"version": "1"})),
        ("split", {"weights": {"1": 1, "2": 1}}, ("promote", {"version": "1"})),
        ("alias", {"alias": "a", "version": "2"}, ("alias", {"alias": "a", "version": "1"})),
        ("routes", {"aliases": {"a": "2"}}, ("alias", {"alias": "a", "version": "1"})),
        ("limits", {"max_queue_size": 5}, ("limits", {})),
        ("lanes", {"min": 3}, ("lanes", {})),
        ("policy", {"latest": 1}, ("policy", {"all": True})),
        ("pin", {"version": "2"}, ("pin", {"version": "2", "pinned": False})),
        ("shadow", {"version": "2", "percent": 5}, ("shadow", {})),
        ("rollout", {"version": "2"}, ("rollout", {"abort": True})),
        ("rollback", {}, ("promote", {"version": "1"})),
    ],
)
def test_what_was_changed_since_stays(
    verb: str, fields: dict[str, object], later: tuple[str, dict[str, object]]
) -> None:
    """The same message again is answered with the record as it is."""
    out = settled().on(update(verb, "first", **fields), update(later[0], "then", **later[1]))
    before = out.record
    out.on(update(verb, "first", **fields))
    assert out.answers == [("first", "")]
    assert out.outcome == "unchanged"
    assert out.record == before


def test_an_id_that_another_message_had_changes_nothing() -> None:
    """It is refused, as a request is."""
    first, other = update("promote", "u", version="2"), update("promote", "u", version="1")
    first.digest, other.digest = b"1", b"2"
    out = settled().on(first, other)
    assert out.answers == [("u", "id_conflict")]
    assert weights_of(out.record) == {"2": 1}


def test_a_version_that_was_registered_anew_is_not_unregistered_again() -> None:
    """Nor is one that was unregistered registered, nor what took its place replaced."""
    out = settled().on(update("unregister", "gone", version="2"), Drained(version="2", generation=2))
    out.on(register("2", token="new")).load("2")
    out.on(update("unregister", "gone", version="2"))
    assert (out.answers, out.state("2")) == ([("gone", "")], READY)
    out.on(register("2", "b.onnx", token="newer")).load("2")
    out.on(register("2", token="new"))
    assert (out.answers, out.record.versions[1].spec.uri) == ([("new", "")], "b.onnx")
    generation = out.record.versions[1].spec.generation
    out.on(update("unregister", "end", version="2"), Drained(version="2", generation=generation))
    out.on(register("2", "b.onnx", token="newer"))
    assert (out.answers, out.state("2")) == ([("newer", "")], None)


def test_who_waits_is_joined() -> None:
    """Both are answered when it is done."""
    out = settled().on(update("unload", "u", version="2"), update("unload", "u", version="2"))
    assert out.answers == []
    out.on(Drained(version="2", generation=2))
    assert out.answers == [("u", ""), ("u", "")]


def test_what_failed_is_tried_again() -> None:
    """A load, as a registration."""
    out = settled().on(update("unload", "u", version="2"), Drained(version="2", generation=2))
    load = update("load", "l", version="2")
    out.on(load)
    generation = out.record.versions[1].spec.generation
    out.on(LoadFailed(version="2", generation=generation, error="load_failed", message="no"))
    assert out.answers == [("l", "load_failed")]
    assert out.on(load).answers == []
    assert out.load("2").answers == [("l", "")]


def test_a_refusal_uses_no_id_up() -> None:
    """What was wrong may have been mended."""
    out = settled().on(update("promote", "u", version="3"))
    assert out.answers == [("u", "version_not_found")]
    out.on(register("3")).load("3")
    out.on(update("promote", "u", version="3"))
    assert (out.answers, weights_of(out.record)) == ([("u", "")], {"3": 1})


def test_a_message_that_comes_again_ends_no_rollout() -> None:
    """Only one that changes the shares does."""
    out = settled().on(update("promote", "u", version="1"), update("rollout", version="2"))
    assert out.on(update("promote", "u", version="1")).record.rollout.state == RUNNING
    assert out.on(update("promote", "v", version="1")).record.rollout.state == ENDED


def test_so_many_are_remembered() -> None:
    """The record travels with each message of the model."""
    out = settled().on(*(update("alias", f"u{n}", alias="a", version="1") for n in range(2 * MOST)))
    assert len(out.record.seen) == MOST
    assert len(out.record.seen[0].SerializeToString()) < 20
