"""The steps of one version's life."""

from __future__ import annotations

import json

from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.record import routes_of
from scurry.registry.steps import Answer, AskLoad, AskUnload, RemindLater
from scurry.registry.views import view
from scurry.wire.messages_pb2 import (
    FAILED,
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


def test_a_version_is_one_set_of_files() -> None:
    """What the first worker found goes with every batch; another that finds something else makes it fail everywhere."""
    out = Course().on(register("1", token="u"), Loaded(version="1", lane=0, generation=1, fingerprint="f"))
    assert out.record.versions[0].spec.fingerprint == "f"
    ok = Course().on(register("1"), *(Loaded(version="1", lane=n, generation=1, fingerprint="f") for n in (0, 1)))
    assert routes_of(ok.record).versions[0].spec.fingerprint == "f"
    out.on(Loaded(version="1", lane=1, generation=1, fingerprint="g"))
    assert (out.state(), out.answers) == (FAILED, [("u", "load_failed")])
    assert "changed while" in out.record.versions[0].message
    assert out.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1])]


def test_what_fails_to_load_is_unloaded_everywhere() -> None:
    """One worker may have opened it before another could not; one that opens it later is told as well."""
    out = Course().on(register("1"), Loaded(version="1", lane=0, generation=1), LoadFailed(version="1", generation=1))
    mine = [AskUnload("1", 1, out.identities["1", 1])]
    assert out.of(AskUnload) == mine
    assert out.on(Loaded(version="1", lane=1, generation=1)).effects == mine


def test_replaced_before_it_was_loaded() -> None:
    """Who waited for the first spec hears that it lost."""
    out = Course().on(register("1", token="u"), register("1", "b.onnx", token="w"))
    assert out.answers == [("u", "load_failed")]
    assert out.load().answers == [("w", "")]


def test_a_ready_version_serves_on_while_a_changed_spec_loads() -> None:
    """The route keeps the former spec until the new one is loaded; that goes once no request is on its way to it."""
    out = ready("1").on(register("1", "b.onnx", token="w"))
    assert routes_of(out.record).versions[0].spec.uri == "1.onnx"
    assert out.answers == []
    out.load()
    assert routes_of(out.record).versions[0].spec.uri == "b.onnx"
    assert (out.of(AskUnload), out.answers) == ([], [("w", "")])
    out.on(Drained(version="1", generation=1))
    assert out.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1])]
    assert (out.state(), list(out.record.versions[0].former)) == (READY, [])
    assert out.on(Drained(version="1", generation=1)).effects == []


def test_nothing_of_a_replacement_is_seen_before_it_is_ready() -> None:
    """The record shows the version that answers; who loads the new one first changes nothing of it."""
    told = {"generation": 1, "device": "CPU", "warnings": ["old"]}
    out = Course().on(register("1"), *(Loaded(version="1", lane=lane, **told) for lane in (0, 1)))
    before = view(out.record)
    out.on(register("1", "b.onnx"), Loaded(version="1", lane=0, generation=2, device="GPU", warnings=["new"]))
    shown = json.loads(view(out.record))["versions"][0]
    assert shown.pop("replacement")["uri"] == "b.onnx"
    assert shown == json.loads(before)["versions"][0]
    out.on(Loaded(version="1", lane=1, generation=2, device="GPU", isolated=True, warnings=["new"]))
    shown = json.loads(view(out.record))["versions"][0]
    assert (shown["device"], shown["warnings"], shown["identity"]) == ("GPU", ["new"], out.identities["1", 2])
    assert shown["isolated"]


def test_all_that_was_replaced_goes_with_the_version() -> None:
    """Former specs whose requests were not finished yet are unloaded too."""
    out = ready("1").on(register("1", "b.onnx")).load().on(register("1", "c.onnx")).load()
    assert [former.generation for former in out.record.versions[0].former] == [1, 2]
    out.on(update("unregister"), Drained(version="1", generation=3))
    assert out.of(AskUnload) == [AskUnload("1", n, out.identities["1", n]) for n in (1, 2, 3)]


def test_a_replacement_that_is_replaced_before_it_was_loaded_is_called_off() -> None:
    """Workers may be loading it."""
    out = ready("1").on(register("1", "b.onnx"), register("1", "c.onnx"))
    assert out.of(AskUnload) == [AskUnload("1", 2, out.identities["1", 2])]
    out = Course().on(register("1"), register("1", "b.onnx"))
    assert out.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1])]


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
    assert out.of(AskUnload) == [AskUnload("1", 2, out.identities["1", 2])]
    assert out.on(register("1", "b.onnx", token="w")).answers == [], "sent again it is tried again"


def test_an_expired_drain_says_so() -> None:
    """It is unloaded anyway."""
    out = ready("1").on(update("unregister", "u"), Drained(version="1", generation=1, expired=True))
    (answer,) = out.of(Answer)
    assert isinstance(answer, Answer)
    assert (answer.code, "drain limit" in answer.message) == ("", True)
