"""The verbs of a registry message."""

from __future__ import annotations

import itertools

import pytest
from tests.unit.registry.course import BLANK, Course, ready, register, update

from scurry.registry.record import routes_of, weights_of
from scurry.registry.steps import Answer, AskLoad, AskUnload
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    Drained,
    LoadFailed,
    Record,
    Update,
)


@pytest.mark.parametrize(("names", "expected"), [((), "1"), (("1",), "2"), (("1", "9", "v3"), "10"), (("beta",), "1")])
def test_a_version_left_out_is_one_more_than_the_largest(names: tuple[str, ...], expected: str) -> None:
    """Names that are no numbers do not count."""
    out = ready(*names).on(register("", "new.onnx"))
    assert out.record.versions[-1].version == expected


def test_the_same_message_twice_makes_one_version() -> None:
    """A client that sends again does not register again."""
    out = Course().on(register(token="u")).load().on(register(token="u"))
    assert [entry.version for entry in out.record.versions] == ["1"]
    assert (out.outcome, out.answers) == ("unchanged", [("u", "")])


def test_the_same_message_while_it_is_loading_waits_along() -> None:
    """It is one registration, answered to both."""
    out = Course().on(register("1", token="u"), register("1", token="u"))
    assert (out.answers, out.of(AskLoad), out.outcome) == ([], [], "unchanged")
    assert out.load().answers == [("u", ""), ("u", "")]


def test_the_same_words_in_another_message_are_another_registration() -> None:
    """The files may have been overwritten: they are opened anew, under an identity that nothing had before."""
    out = ready("1").on(register("1", "1.onnx", token="w"))
    assert (out.answers, out.outcome, len(out.of(AskLoad))) == ([], "applied", 2)
    entry = out.record.versions[0]
    assert (entry.serving.uri, entry.spec.uri) == ("1.onnx", "1.onnx")
    assert entry.serving.identity != entry.spec.identity
    assert out.load().answers == [("w", "")]


def test_identities_are_never_the_same() -> None:
    """Another message, model, version, place or option makes another; so does the next registration."""
    made = set()
    for fields in ({}, {"uri": "b"}, {"config": {"a": 1}}, {"runtime": "openvino"}, {"version": "2"}):
        for token in ("u", "w"):
            update = register(**{"version": "1", **fields}, token=token)
            made.add(Course().on(update).record.versions[0].spec.identity)
            again = Course().on(register("1"), LoadFailed(version="1", generation=1), update)
            made.add(again.record.versions[-1].spec.identity)
    assert len(made) == 20
    assert {len(identity) for identity in made} == {32}


def test_an_entry_of_the_stream_is_one_registration() -> None:
    """Read once more after a restore it is the same one, so that workers which hold it still need not load it."""
    again = [Update(model="m", id="u", entry=entry, json=register("1").json) for entry in ("s/1-0", "s/1-0", "s/2-0")]
    identities = [Course().on(update).record.versions[0].spec.identity for update in again]
    assert identities[0] == identities[1] != identities[2]


def test_a_failed_try_uses_up_no_number() -> None:
    """The next one left out gets it; what was named stays where it is."""
    out = ready("1").on(register(token="u"), LoadFailed(version="2", generation=2), register(token="w"))
    assert [(entry.version, entry.state) for entry in out.record.versions] == [("1", READY), ("2", LOADING)]
    out.load("2").on(register("9"), LoadFailed(version="9", generation=4), register())
    assert [entry.version for entry in out.record.versions] == ["1", "2", "9", "3"]


def test_a_failed_version_may_be_registered_again() -> None:
    """The same spec is tried again with a generation of its own."""
    out = Course().on(
        register("1", token="u"), LoadFailed(version="1", generation=1, error="not_allowed", message="no")
    )
    entry = out.record.versions[0]
    assert (entry.state, entry.error, entry.message) == (FAILED, "not_allowed", "no")
    assert out.answers == [("u", "not_allowed")]
    out.on(register("1", token="w"))
    entry = out.record.versions[0]
    assert (entry.state, entry.spec.generation, entry.message) == (LOADING, 2, "")
    assert out.load().answers == [("w", "")]


def test_a_function_is_ready_at_once() -> None:
    """Nothing is loaded, and nothing unloaded when it goes."""
    out = Course().on(register("1", "example/upper", token="u", runtime="function"))
    assert (out.state(), out.answers) == (READY, [("u", "")])
    assert not out.of(AskLoad)
    assert routes_of(out.record).versions[0].function == "example/upper"
    out.on(update("unregister", "w"), Drained(version="1", generation=1))
    assert (out.answers, out.of(AskUnload)) == ([("w", "")], [])


def test_unregister_drains_then_drops() -> None:
    """The reply waits for the router; aliases and weights go at once."""
    out = ready("1", "2").on(update("alias", alias="a", version="1"), update("split", weights={"1": 1, "2": 1}))
    out.on(update("unregister", "u", version="a", force=True))
    assert (out.state(), out.answers) == (DRAINING, [])
    assert (dict(out.record.aliases), weights_of(out.record)) == ({}, {"2": 1})
    out.on(Drained(version="1", generation=9))
    assert out.state() == DRAINING
    out.on(Drained(version="1", generation=1))
    assert (out.state(), out.answers) == (None, [("u", "")])
    assert out.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1])]


def test_a_version_that_comes_back_has_lost_its_share() -> None:
    """The split it was part of ended for it when it was unregistered."""
    out = ready("1", "2").on(update("split", weights={"1": 1, "2": 1}), update("unregister", version="1", force=True))
    out.on(Drained(version="1"), register("1", "1.onnx")).load("1")
    assert weights_of(out.record) == {"2": 1}


def test_unregister_again_while_draining_waits_along() -> None:
    """Both messages are answered when it is gone."""
    out = ready("1").on(update("unregister", "u", version="1", force=True), update("unregister", "w", version="1"))
    assert out.on(Drained(version="1", generation=1)).answers == [("u", ""), ("w", "")]


def test_unregister_of_a_whole_model_waits_for_its_last_version() -> None:
    """What takes no requests goes at once, the rest when drained, in whatever order."""
    for order in itertools.permutations(["1", "2", "3"]):
        out = ready("1", "2", "3").on(register("4", token="r"), update("unregister", "u"))
        assert [entry.version for entry in out.record.versions] == ["1", "2", "3"]
        assert out.answers == [("r", "load_failed")]
        for number, version in enumerate(order, 1):
            out.on(Drained(version=version))
            assert out.answers == ([("u", "")] if number == 3 else [])
        assert not out.record.versions
        assert out.record.sequence > 0, "generations go on growing"


def test_unregister_of_what_never_took_requests() -> None:
    """Answered at once, with an unload for a worker that may be loading it."""
    out = Course().on(register("1", token="r"), update("unregister", "u", version="1"))
    assert out.answers == [("r", "load_failed"), ("u", "")]
    assert [type(effect) for effect in out.of(AskUnload)] == [AskUnload]
    assert out.state() is None


def test_unregister_while_a_replacement_loads() -> None:
    """The version that serves drains; the replacement is called off."""
    out = ready("1").on(register("1", "b.onnx", token="r"), update("unregister", "u", version="1", force=True))
    assert out.answers == [("r", "load_failed")]
    assert out.of(AskUnload) == [AskUnload("1", 2, out.identities["1", 2])]
    assert out.state() == DRAINING
    assert routes_of(out.record).versions[0].spec.generation == 1
    assert out.on(Drained(version="1", generation=1)).answers == [("u", "")]


@pytest.mark.parametrize(
    ("before", "version", "words"),
    [
        ([], "2", "it takes the requests that name no version (version 1 would get them)"),
        ([update("unregister", version="1")], "2", "(no other version is ready to get them)"),
        ([update("split", weights={"1": 1, "2": 1})], "1", "(version 2 would get them)"),
        ([update("promote", version="1")], "1", "(version 2 would get them)"),
        ([update("alias", alias="stable", version="1")], "1", "in use: alias 'stable' stands for it."),
        ([update("alias", alias="a", version="2")], "a", "(version 1 would get them); alias 'a' stands for it"),
    ],
)
def test_what_is_in_use_is_unregistered_by_force_only(before: list[Update], version: str, words: str) -> None:
    """The refusal says who would get the requests, and which names would be gone."""
    out = ready("1", "2").on(*before, update("unregister", "u", version=version))
    assert out.answers == [("u", "not_allowed")]
    (answer,) = out.of(Answer)
    assert isinstance(answer, Answer)
    assert words in answer.message
    out.on(update("unregister", "w", version=version, force=True))
    assert DRAINING in {entry.state for entry in out.record.versions}


def test_a_whole_model_goes_without_force() -> None:
    """Nobody can think that its requests go elsewhere."""
    assert ready("1", "2").on(update("unregister", "u")).state("2") == DRAINING


def test_rollback_goes_back_change_by_change() -> None:
    """Whether the change was a promotion, a split, or a new version; a rollback is no change to go back from."""
    out = ready("1", "2").on(update("rollback", "u"))
    assert (weights_of(out.record), out.answers) == ({"1": 1}, [("u", "")])
    out.on(update("split", weights={"1": 3, "2": 1}), update("promote", version="2"), update("rollback"))
    assert weights_of(out.record) == {"1": 3, "2": 1}
    assert weights_of(out.on(update("rollback")).record) == {"1": 1}
    assert out.on(update("rollback", "w")).answers == [("w", "bad_request")]


REFUSED = [
    (update("unregister"), BLANK, "model_not_found"),
    (update("unregister", version="1"), BLANK, "model_not_found"),
    (update("promote", version="1"), BLANK, "model_not_found"),
    (update("rollback"), BLANK, "model_not_found"),
    (update("alias", alias="a", version="1"), BLANK, "model_not_found"),
    (update("split", weights={"1": 1}), BLANK, "model_not_found"),
    (update("unregister", version="9"), None, "version_not_found"),
    (update("promote", version="9"), None, "version_not_found"),
    (update("promote", version="3"), None, "model_not_ready"),
    (update("promote", version="2"), None, "model_not_ready"),
    (update("split", weights={"1": 1, "3": 1}), None, "model_not_ready"),
    (update("split", weights={"1": 0}), None, "bad_request"),
    (update("split", weights={}), None, "bad_request"),
    (update("split"), None, "bad_request"),
    (update("alias", alias="1", version="1"), None, "bad_request"),
    (update("alias", alias="a b", version="1"), None, "bad_request"),
    (update("alias", alias="a", version="9"), None, "version_not_found"),
    (update("alias", alias="a", version="2"), None, "version_not_found"),
    (update("alias", alias="b", version=""), None, "version_not_found"),
    (update("rollback"), None, "bad_request"),
    (register("stable"), None, "bad_request"),
    (register("2", "2.onnx"), None, "model_not_ready"),
    (register("x y"), None, "bad_request"),
    (Update(model="m", json="?"), None, "bad_request"),
]


@pytest.mark.parametrize(("event", "record", "code"), REFUSED)
def test_what_is_refused_changes_nothing(event: Update, record: Record | None, code: str) -> None:
    """One reply with a code, one audit entry, the very same record."""
    event.id = "u"
    out = ready("1").on(update("alias", alias="stable", version="1"), register("2", "2.onnx"), register("3")).load("2")
    out.on(update("promote", version="1"), update("unregister", version="2"))
    del out.record.former[:]
    if record is not None:
        out.record = record
    before = out.record
    out.on(event)
    assert out.record is before
    assert out.answers == [("u", code)]
    assert out.outcome == code


def test_aliases_are_set_moved_and_forgotten() -> None:
    """An alias may name a version through another alias, and one that is still loading."""
    out = ready("1").on(register("2"), update("alias", alias="a", version="1"), update("alias", alias="b", version="a"))
    assert dict(out.record.aliases) == {"a": "1", "b": "1"}
    out.on(update("alias", alias="a", version="2"), update("alias", alias="b"))
    assert dict(out.record.aliases) == {"a": "2"}
