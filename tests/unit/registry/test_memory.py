"""The verbs load, unload and pin."""

from __future__ import annotations

import json

from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.record import routes_of, weights_of
from scurry.registry.steps import Answer, AskLoad, AskUnload, Unpin
from scurry.registry.views import view
from scurry.wire.messages_pb2 import DRAINING, FAILED, LOADING, READY, REGISTERED, Drained, Loaded, LoadFailed


def unloaded() -> Course:
    """Versions 1 and 2, of which 1 was taken out of memory."""
    return ready("1", "2").on(update("unload", "u", version="1"), Drained(version="1", generation=1))


def test_unload_drains_and_keeps_the_registration() -> None:
    """Answered once nothing is on its way to it; its workers drop it, its aliases stay."""
    out = ready("1", "2").on(update("alias", alias="old", version="1"), update("unload", "u", version="1", force=True))
    assert (out.state("1"), out.answers) == (DRAINING, [])
    out.on(Drained(version="1", generation=1))
    assert (out.state("1"), out.answers) == (REGISTERED, [("u", "")])
    assert out.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1])]
    assert dict(out.record.aliases) == {"old": "1"}
    shown = json.loads(view(out.record))["versions"][0]
    assert (shown["state"], shown["unloaded_by"]) == ("registered", "request")


def test_what_is_unloaded_is_told_to_the_router() -> None:
    """It is neither pending nor failed: requests for it need not wait."""
    routes = routes_of(unloaded().record)
    assert (list(routes.unloaded), list(routes.pending), list(routes.failed)) == (["1"], [], [])


def test_unload_of_what_takes_requests_needs_force() -> None:
    """The refusal says who would get them."""
    out = ready("1", "2").on(update("unload", "u", version="2"))
    assert out.answers == [("u", "not_allowed")]
    (answer,) = out.of(Answer)
    assert isinstance(answer, Answer)
    assert "version 1 would get them" in answer.message
    out.on(update("unload", "w", version="2", force=True))
    assert (out.state("2"), weights_of(out.record)) == (DRAINING, {"1": 1})


def test_unload_twice_is_one_unload() -> None:
    """While it drains the second waits along; later it is answered at once."""
    out = ready("1", "2").on(update("unload", "u", version="1"), update("unload", "w", version="1"))
    assert out.on(Drained(version="1", generation=1)).answers == [("u", ""), ("w", "")]
    out.on(update("unload", "x", version="1"))
    assert (out.outcome, out.answers) == ("unchanged", [("x", "")])


def test_unload_of_what_loads_gives_the_load_up() -> None:
    """Who waits for it is told."""
    out = ready("1").on(register("2", token="r"), update("unload", "u", version="2"))
    assert out.answers == [("r", "load_failed"), ("u", "")]
    assert out.state("2") == REGISTERED


def test_unload_while_a_replacement_loads() -> None:
    """The replacement is called off, what serves drains."""
    out = ready("1", "2").on(register("1", "b.onnx", token="r"), update("unload", "u", version="1"))
    assert (out.state("1"), out.answers) == (DRAINING, [("r", "load_failed")])
    out.on(Drained(version="1", generation=1))
    assert (out.state("1"), out.record.versions[0].spec.uri) == (REGISTERED, "1.onnx")


def test_load_opens_the_files_anew() -> None:
    """The same registration under a generation and an identity of its own; answered once it is ready."""
    out = unloaded()
    before = out.record.versions[0].spec
    out.on(update("load", "l", version="1"))
    spec = out.record.versions[0].spec
    assert (out.state("1"), out.answers, len(out.of(AskLoad))) == (LOADING, [], 2)
    assert (spec.uri, spec.fingerprint) == (before.uri, "")
    assert spec.generation > before.generation
    assert spec.identity != before.identity
    assert out.load("1").answers == [("l", "")]
    assert out.state("1") == READY


def test_a_share_comes_back_with_its_version() -> None:
    """The split was not changed by the unload."""
    out = ready("1", "2").on(update("split", weights={"1": 1, "2": 1}), update("unload", version="1", force=True))
    out.on(Drained(version="1", generation=1))
    assert weights_of(out.record) == {"2": 1}
    out.on(update("load", version="1")).load("1")
    assert weights_of(out.record) == {"1": 1, "2": 1}


def test_load_of_what_is_ready_or_loading_changes_nothing() -> None:
    """The message may be sent again."""
    out = ready("1").on(update("load", "l", version="1"))
    assert (out.outcome, out.answers) == ("unchanged", [("l", "")])
    out.on(register("2"), update("load", "m", version="2"))
    assert (out.outcome, out.answers) == ("unchanged", [])
    assert out.load("2").answers == [("", ""), ("m", "")]


def test_load_of_what_drains_is_for_later() -> None:
    """As a registration is."""
    out = ready("1", "2").on(update("unload", version="1"), update("load", "l", version="1"))
    assert out.answers == [("l", "model_not_ready")]


def test_a_load_that_fails_is_told_and_may_be_tried_again() -> None:
    """With the reason, as a registration's."""
    out = unloaded().on(update("load", "l", version="1"))
    generation = out.record.versions[0].spec.generation
    out.on(LoadFailed(version="1", generation=generation, error="load_failed", message="gone"))
    assert (out.state("1"), out.answers) == (FAILED, [("l", "load_failed")])
    assert out.on(update("load", "m", version="1")).load("1").answers == [("m", "")]


def test_a_version_that_is_unloaded_may_be_unregistered_and_registered() -> None:
    """It is gone at once, and comes back like any other."""
    out = unloaded().on(update("unregister", "g", version="1"))
    assert (out.state("1"), out.answers) == (None, [("g", "")])
    assert unloaded().on(register("1", "c.onnx", token="r")).load("1").answers == [("r", "")]


def test_unregister_while_it_drains_to_be_unloaded() -> None:
    """It goes; both messages are answered, that for the whole model once all of it is gone."""
    out = ready("1", "2").on(update("unload", "u", version="1"), update("unregister", "g"))
    assert out.on(Drained(version="1", generation=1)).answers == [("u", "")]
    assert out.on(Drained(version="2", generation=2)).answers == [("g", "")]


def test_a_late_answer_is_no_load() -> None:
    """A worker that comes too late is told to drop it."""
    out = ready("1").on(register("2"), update("unload", version="2"))
    assert out.on(Loaded(version="2", lane=0, generation=2)).of(AskUnload) != []
    assert out.state("2") == REGISTERED


def test_a_pin_travels_with_the_spec() -> None:
    """Both first lanes are told now, all others by the next request; a pin without a word is one."""
    out = ready("1").on(update("pin", "p", version="1"))
    assert (out.answers, out.of(AskLoad)) == ([("p", "")], [AskLoad("1", 0), AskLoad("1", 1)])
    assert routes_of(out.record).versions[0].spec.pinned
    identity = out.record.versions[0].spec.identity
    out.on(*(Loaded(version="1", lane=lane, generation=1) for lane in (0, 1)))
    assert (out.state(), out.effects) == (READY, []), "their answer is no news"
    out.on(update("pin", version="1", pinned=False))
    assert out.of(Unpin) == [Unpin("1", identity)]
    assert not routes_of(out.record).versions[0].spec.pinned


def test_a_config_may_pin() -> None:
    """The verb wins over it, for registrations that follow as well."""
    out = Course().on(register("1", config={"pinned": True})).load()
    assert out.record.versions[0].spec.pinned
    out.on(update("pin", version="1", pinned=False), register("1", config={"pinned": True})).load()
    assert not out.record.versions[0].spec.pinned
