"""The steps of one version's life."""

from __future__ import annotations

from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.record import routes_of
from scurry.registry.steps import Answer, AskLoad, AskUnload, RemindLater
from scurry.wire.messages_pb2 import (
    LOADING,
    READY,
    Drained,
    Loaded,
    LoadFailed,
)


def test_register_asks_both_lanes_to_load() -> None:
    """It is pending, answered later, and there will be a reminder."""
    out = Course().on(register("1", token="u"))
    assert out.state() == LOADING
    assert out.of(AskLoad) == [AskLoad("1", 0), AskLoad("1", 1)]
    assert out.of(RemindLater) == [RemindLater("1", 1, 1)]
    assert (out.answers, out.outcome) == ([], "applied")
    assert list(routes_of(out.record).pending) == ["1"]
    assert out.record.epoch == 1


def test_ready_when_both_lanes_have_loaded() -> None:
    """One lane twice is not enough; then the registrar hears and the routes change."""
    out = Course().on(register("1", token="u"))
    for _ in range(2):
        out.on(Loaded(version="1", lane=0, generation=1, max_batch_size=8, runtime="onnx", bytes=5, device="CPU"))
        assert (out.state(), out.answers) == (LOADING, [])
    out.on(Loaded(version="1", lane=1, generation=1, max_batch_size=8, runtime="onnx", bytes=5, device="CPU"))
    assert (out.state(), out.answers) == (READY, [("u", "")])
    entry = out.record.versions[0]
    assert (entry.spec.max_batch_size, entry.spec.runtime, entry.bytes, entry.device) == (8, "onnx", 5, "CPU")
    assert out.record.epoch == 2
    out.load()
    assert out.effects == []
    assert out.record.epoch == 2


def test_replaced_before_it_was_loaded() -> None:
    """Who waited for the first spec hears that it lost."""
    out = Course().on(register("1", token="u"), register("1", "b.onnx", token="w"))
    assert out.answers == [("u", "load_failed")]
    assert out.load().answers == [("w", "")]


def test_a_ready_version_serves_on_while_a_changed_spec_loads() -> None:
    """The route keeps the former spec until the new one is loaded; then the former one is unloaded, after a while."""
    out = ready("1").on(register("1", "b.onnx", token="w"))
    assert routes_of(out.record).versions[0].spec.uri == "1.onnx"
    assert out.answers == []
    out.load()
    assert routes_of(out.record).versions[0].spec.uri == "b.onnx"
    assert out.of(AskUnload) == [AskUnload("1", 1, 60_000)]
    assert out.answers == [("w", "")]


def test_a_spec_changed_twice_still_serves_the_one_that_was_loaded() -> None:
    """The second spec, never loaded, does not take the place of the first."""
    out = ready("1").on(register("1", "b.onnx"), register("1", "c.onnx"))
    assert routes_of(out.record).versions[0].spec.uri == "1.onnx"
    assert routes_of(out.load().record).versions[0].spec.uri == "c.onnx"


def test_a_changed_spec_that_fails_leaves_the_former_one() -> None:
    """The version stays ready; the reason is on record."""
    out = ready("1").on(register("1", "b.onnx", token="w"), LoadFailed(version="1", generation=2, message="broken"))
    assert out.answers == [("w", "load_failed")]
    assert (out.state(), routes_of(out.record).versions[0].spec.uri) == (READY, "1.onnx")
    assert "broken" in out.record.versions[0].message


def test_an_expired_drain_says_so() -> None:
    """It is unloaded anyway."""
    out = ready("1").on(update("unregister", "u"), Drained(version="1", generation=1, expired=True))
    (answer,) = out.of(Answer)
    assert isinstance(answer, Answer)
    assert (answer.code, "drain limit" in answer.message) == ("", True)
