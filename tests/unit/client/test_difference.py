"""What it takes to make models as declared, carried out on a registry without a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.registry.course import Course, ready, register, update

from scurry.client.declared import Model, document, read_document
from scurry.client.difference import Step, difference
from scurry.registry.record import find, weights_of
from scurry.registry.views import view
from scurry.wire.messages_pb2 import DRAINING, LOADING, Drained


def settle(out: Course) -> Course:
    """What loads is loaded, what drains is drained."""
    while True:
        busy = next((e for e in out.record.versions if e.state in (LOADING, DRAINING)), None)
        if busy is None:
            return out
        if busy.state == LOADING:
            out.load(busy.version)
        else:
            out.on(Drained(version=busy.version, generation=busy.spec.generation))


def shown(out: Course) -> dict[str, Any]:
    """The view."""
    text = view(out.record)
    return {"m": json.loads(text)} if text else {}


def steps(wanted: dict[str, Model], out: Course, *, prune: bool = False) -> list[Step]:
    """What is to be done."""
    return list(difference(wanted, shown(out), prune=prune).get("m", ()))


def carried_out(wanted: dict[str, Model], out: Course, *, prune: bool = False, serving: bool = True) -> Iterator[Step]:
    """Do it; after each step requests that were taken before still are, where the file lets anything take them."""
    for step in steps(wanted, out, prune=prune):
        served = serving and bool(weights_of(out.record))
        out.on(step.update)
        assert out.outcome in {"applied", "unchanged"}, (step, out.effects)
        assert bool(weights_of(out.record)) >= served
        settle(out)
        assert bool(weights_of(out.record)) >= served
        yield step


def declared(**model: Any) -> dict[str, Model]:
    """A file about one model."""
    model["versions"] = [
        {"version": each, "uri": f"{each}.onnx"} if isinstance(each, str) else each for each in model["versions"]
    ]
    return read_document({"models": {"m": model}})


def test_a_fresh_model_gets_its_shares_in_one_message() -> None:
    """Nothing is routed before all is ready."""
    wanted = declared(versions=["1", "2"], weights={"1": 9, "2": 1}, aliases={"a": "1"})
    out = Course()
    done = list(carried_out(wanted, out))
    assert [step.change for step in done] == ["register", "register", "routes"]
    assert weights_of(out.record) == {"1": 9, "2": 1}
    assert steps(wanted, out) == []


def test_a_canary_takes_nothing_before_its_share() -> None:
    """The new version is ready first; then shares move in one message."""
    out = ready("1")
    wanted = declared(versions=["1", "2"], weights={"1": 9, "2": 1})
    for step in carried_out(wanted, out):
        assert weights_of(out.record) == ({"1": 9, "2": 1} if step.change == "routes" else {"1": 1})


def test_what_changed_is_replaced_in_place() -> None:
    """By its uri, runtime or config; what is left out is no difference."""
    out = ready("1", "2")
    assert steps(declared(versions=["1", "2"]), out) == []
    (step,) = steps(declared(versions=["1", {"version": "2", "uri": "new.onnx"}]), out)
    assert (step.change, step.what) == ("replace", "version 2 from new.onnx")
    (step,) = steps(declared(versions=["1", {"version": "2", "uri": "2.onnx", "config": {"threads": 1}}]), out)
    assert step.change == "replace"


def test_without_prune_nothing_goes() -> None:
    """With it, versions, aliases and whole models that nobody declares do."""
    out = ready("1", "2").on(update("alias", alias="a", version="1"))
    wanted = declared(versions=["2"])
    assert steps(wanted, out) == []
    done = list(carried_out(wanted, out, prune=True))
    assert [(step.change, step.what) for step in done] == [("routes", "a → nothing"), ("unregister", "version 1")]
    assert steps(wanted, out, prune=True) == []
    (step,) = difference({}, shown(out), prune=True)["m"]
    assert (step.change, step.what) == ("unregister", "the whole model")


@pytest.mark.parametrize(
    ("policy", "present", "weights"),
    [
        ({"latest": 1}, {"latest": 2}, {"1": 1}),
        ({"specific": ["3"]}, {"specific": ["3"]}, {"1": 1, "3": 1}),
        ({"all": True}, {"latest": 1}, {"2": 1}),
        ({}, {"latest": 1}, {"1": 1}),
        ({"latest": 1}, {}, {"1": 1}),
        ({"specific": ["4"]}, {"specific": ["3"]}, {"4": 1}),
    ],
)
def test_a_policy_does_not_stand_in_the_way(
    policy: dict[str, Any], present: dict[str, Any], weights: dict[str, int]
) -> None:
    """What the shares need is in memory before they change; then the policy that is declared holds, or the present."""
    out = ready("1", "2", "3")
    if present:
        settle(out.on(update("policy", **present)))
    wanted = declared(versions=["1", "2", "3", "4"], weights=weights, policy=policy)
    list(carried_out(wanted, out))
    assert weights_of(out.record) == weights
    assert shown(out)["m"]["policy"] == (policy or present)
    assert steps(wanted, out) == []


def test_pins_and_memory() -> None:
    """Both ways; what was unloaded by somebody is loaded when the file says so."""
    out = settle(ready("1", "2").on(update("unload", version="1"), update("pin", version="2")))
    wanted = declared(versions=[
        {"version": "1", "uri": "1.onnx", "pinned": True}, {"version": "2", "uri": "2.onnx", "pinned": False},
    ])  # fmt: skip
    assert [step.change for step in carried_out(wanted, out)] == ["pin", "unpin", "load"]
    assert steps(wanted, out) == []
    wanted = declared(versions=[{"version": "1", "uri": "1.onnx", "loaded": False}, "2"])
    assert [step.change for step in carried_out(wanted, out)] == ["unload"]
    assert steps(wanted, out) == []


def test_what_is_still_loading_is_waited_for() -> None:
    """A share for it can only be put in force once it is ready."""
    out = ready("1").on(register("2", "2.onnx"))
    wanted = declared(versions=["1", "2"], weights={"2": 1})
    assert [step.change for step in steps(wanted, out)] == ["load", "routes"]


EVENTS = st.lists(
    st.one_of(
        st.builds(lambda version, route: register(version, f"{version}.onnx", **route), st.sampled_from("1234"),
                  st.sampled_from([{}, {}, {"route": False}])),
        st.builds(lambda one, two: update("split", weights={"1": one, "2": two}), st.integers(0, 2), st.integers(0, 2)),
        st.builds(lambda alias, to: update("alias", alias=alias, version=to), st.sampled_from("ab"),
                  st.sampled_from("1234")),
        st.builds(lambda version: update("pin", version=version), st.sampled_from("1234")),
        st.builds(lambda version: update("unload", version=version), st.sampled_from("1234")),
        st.builds(lambda version: update("unregister", version=version), st.sampled_from("1234")),
        st.sampled_from([{"latest": 1}, {"latest": 2}, {"all": True}, {"specific": ["1", "2"]}]).map(
            lambda policy: update("policy", **policy)
        ),
    ),
    max_size=10,
)  # fmt: skip


def lived(events: list[Any]) -> Course:
    """After these."""
    out = Course()
    for event in events:
        settle(out.on(event))
    return out


@settings(max_examples=200, deadline=None, derandomize=True)
@given(EVENTS)
def test_what_was_exported_comes_about_in_a_fresh_registry(events: list[Any]) -> None:
    """Whatever led there: the same versions, routes, policy; and then there is nothing to do.

    Where the policy names no version that takes requests, which one was the last and stayed is history's alone.
    """
    source = lived(events)
    text = document(shown(source))
    fresh = Course()
    list(carried_out(read_document(text), fresh))
    named = source.record.policy.specific
    if not named or source.record.weights or weights_of(source.record).keys() & set(named):
        assert weights_of(fresh.record) == weights_of(source.record)
    assert dict(fresh.record.aliases) == dict(source.record.aliases)
    assert document(shown(fresh)) == text
    assert steps(read_document(text), fresh) == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(EVENTS, EVENTS)
def test_any_registry_becomes_any_other(events: list[Any], others: list[Any]) -> None:
    """With prune, from whatever there was; without a moment in which nobody takes requests."""
    source, out = lived(events), lived(others)
    if not source.record.versions:
        return
    text = document(shown(source))
    list(carried_out(read_document(text), out, prune=True, serving=bool(weights_of(source.record))))
    again = steps(read_document(text), out, prune=True)
    assert again == [], [(step.change, step.what) for step in again]
    for entry in source.record.versions:
        there = find(out.record, entry.version)
        assert there is not None
        assert there.spec.uri == entry.spec.uri
    assert dict(out.record.aliases) == dict(source.record.aliases)
    if source.record.weights:
        assert weights_of(out.record) == weights_of(source.record)


def test_limits_and_lanes_come_about_and_stay() -> None:
    """Applied again they change nothing, a burst that is left out is the registry's; with prune they go."""
    out = ready("1")
    limits = {"max_queue_size": 7, "tenants": {"acme": {"rate": 2.5}}}
    wanted = declared(versions=["1"], limits=limits, lanes={"min": 1, "max": 3})
    assert [step.change for step in carried_out(wanted, out)] == ["limits", "lanes"]
    assert steps(wanted, out) == []
    assert shown(out)["m"]["limits"] == {"max_queue_size": 7, "tenants": {"acme": {"rate": 2.5, "burst": 3.0}}}
    assert document(shown(out))["models"]["m"]["lanes"] == {"min": 1, "max": 3}
    bare = declared(versions=["1"])
    assert steps(bare, out) == []
    assert [step.change for step in carried_out(bare, out, prune=True)] == ["limits", "lanes"]
    assert (shown(out)["m"]["limits"], shown(out)["m"]["lanes"]) == ({}, {})


def test_streams_are_bound_as_declared_and_with_prune_no_others() -> None:
    """What is bound already, and batched as it should be, takes no message."""
    wanted = declared(versions=["1"], streams={"a": {}, "b": {"batched": True}})
    out = ready("1")
    made = steps(wanted, out)
    assert [(step.change, step.what, step.update.bind.batched) for step in made] == [
        ("bind", "a", False), ("bind", "b", True),
    ]  # fmt: skip
    for name, batched in (("a", False), ("b", True), ("c", False)):
        out.record.streams[name].batched = batched
    assert steps(wanted, out) == []
    assert document(shown(out))["models"]["m"]["streams"]["b"] == {"batched": True}
    assert [(step.change, step.what) for step in steps(wanted, out, prune=True)] == [("unbind", "c")]
    assert steps(declared(versions=["1"]), out) == []
    out.record.streams["b"].batched = False
    assert [step.what for step in steps(wanted, out)] == ["b"]


def test_a_shadow_comes_and_goes() -> None:
    """By one message; without --prune a file that names none leaves it."""
    out = ready("1", "2")
    wanted = declared(versions=["1", "2"], shadow={"version": "1", "percent": 5})
    assert [step.change for step in carried_out(wanted, out)] == ["shadow"]
    assert (out.record.shadow.version, out.record.shadow.percent) == ("1", 5)
    assert steps(wanted, out) == []
    assert document(shown(out))["models"]["m"]["shadow"] == {"version": "1", "percent": 5}
    assert steps(declared(versions=["1", "2"]), out) == []
    assert [step.change for step in carried_out(declared(versions=["1", "2"]), out, prune=True)] == ["shadow"]
    assert not out.record.HasField("shadow")
