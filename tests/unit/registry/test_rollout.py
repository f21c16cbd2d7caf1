"""A guarded rollout: a version gets its share step by step, or none."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.lifecycle import Event
from scurry.registry.record import routes_of, weights_of
from scurry.registry.rollout import shares
from scurry.registry.steps import NextStepLater
from scurry.registry.views import view
from scurry.router.split import pick
from scurry.wire.messages_pb2 import (
    Comparisons,
    Counted,
    Counts,
    Drained,
    LoadFailed,
    NextStep,
    RolloutState,
    Statistics,
    VersionCounted,
)

PLAN = {"version": "2", "steps": [10, 50, 100], "hold_ms": 60_000, "min_requests": 100}
GUARDS = {"max_error_rate": 0.05, "max_latency_ratio": 2, "max_disagreement": 0.1}


def counted(version: str = "2", ok: int = 0, errors: int = 0, ms: int = 10, refused: int = 0, **shadow: int) -> Counted:
    """What a version did."""
    counts = Counts(ok=ok, refused=refused, requests=ok + errors + refused)
    counts.latency.append(ok + errors)
    counts.latency_millis = ms * (ok + errors)
    if errors:
        counts.errors["model_failed"] = errors
    statistics = Statistics(primary=counts)
    if shadow:
        statistics.shadow.CopyFrom(Comparisons(**shadow))
    return Counted(versions=[VersionCounted(version=version, statistics=statistics)])


def begun(**more: object) -> Course:
    """Version 1 has all the requests, and 2 is being rolled out."""
    return ready("1", "2").on(update("promote", version="1"), update("rollout", **{**PLAN, **more}))


def held(out: Course) -> NextStep:
    """The reminder of the step that is under way."""
    return NextStep(number=out.record.rollout.number, step=out.record.rollout.step)


def stands(out: Course) -> tuple[str, int]:
    """State and step."""
    return RolloutState.Name(out.record.rollout.state), out.record.rollout.step


def share(out: Course, version: str = "2") -> float:
    """Percent of the requests."""
    weights = weights_of(out.record)
    return 100 * weights.get(version, 0) / sum(weights.values())


def test_a_model_that_is_gone_takes_its_rollout_along():
    """Another one of its name has had none, nor requests without a version."""
    out = begun().on(Counted(unrouted={"rate_limited": 3}))
    out.on(update("unregister"), *(Drained(version=each, generation=n) for n, each in ((1, "1"), (2, "2"))))
    again = out.on(register("1"))
    assert not again.record.HasField("rollout")
    assert not again.record.unrouted


def test_a_good_version_takes_each_step_and_keeps_the_last():
    """Each begins with a reminder; a rollback afterwards goes back to before the rollout."""
    out = begun(**GUARDS)
    assert [each for each in out.effects if isinstance(each, NextStepLater)] == [
        NextStepLater(out.record.rollout.number, 0, 60_000)
    ]
    for step, percent in enumerate((10, 50, 100)):
        assert (stands(out), share(out)) == (("RUNNING", step), percent)
        out.on(counted(ok=100, compared=100, equal=100), held(out))
    assert (stands(out), share(out)) == (("FINISHED", 2), 100)
    assert share(out.on(update("rollback")), "1") == 100
    assert '"state":"finished"' in view(out.record)


def test_a_step_waits_for_enough_answers():
    """Its reminder comes again; the one of another step, or of another rollout, does nothing."""
    out = begun().on(counted(ok=99))
    out.on(held(out))
    assert (stands(out), out.effects) == (("RUNNING", 0), [NextStepLater(out.record.rollout.number, 0, 10_000)])
    for number, step in ((out.record.rollout.number, 1), (out.record.rollout.number + 1, 0)):
        assert stands(out.on(counted(ok=1), NextStep(number=number, step=step))) == ("RUNNING", 0)
    assert stands(out.on(held(out))) == ("RUNNING", 1)


@pytest.mark.parametrize(
    ("news", "back"),
    [
        ([counted(ok=95, errors=5)], False),
        ([counted(errors=6)], True),  # more than 5 of the first 100 are certain
        ([counted(ok=100, refused=6)], True),
        ([counted(ok=1000, errors=50)], False),
        ([counted(ok=1000, errors=60)], True),
        ([counted("1", ok=100, ms=10), counted(ok=100, ms=20)], False),
        ([counted("1", ok=100, ms=10), counted(ok=100, ms=21)], True),
        ([counted("1", ok=99, ms=10), counted(ok=100, ms=21)], False),  # too few to compare with
        ([counted("1", ok=100, ms=0), counted(ok=100, ms=1)], False),  # nothing is faster than half a millisecond
        ([counted(ok=10, compared=100, equal=90)], False),
        ([counted(ok=10, compared=100, equal=89)], True),
        ([counted("1", errors=1000)], False),
    ],
)
def test_a_broken_guard_rolls_back_when_its_counts_arrive(news, back):
    """At once, not when the step is over; then no reminder moves it, and the shares are those before."""
    out = begun(**GUARDS).on(*news)
    assert stands(out) == (("ROLLED_BACK", 0) if back else ("RUNNING", 0)), out.record.rollout.message
    assert share(out) == (0 if back else 10)
    if back:
        assert out.record.rollout.message.startswith("At 10 %: ")
        assert stands(out.on(counted(ok=1000), held(out))) == ("ROLLED_BACK", 0)


def test_what_was_counted_before_the_step_does_not_judge_it():
    """Neither before the rollout nor in the step before."""
    out = ready("1", "2").on(update("promote", version="1"), counted(errors=50))
    out.on(update("rollout", **PLAN, max_error_rate=0.05), counted(ok=100, errors=5))
    out.on(held(out))
    assert stands(out.on(counted(ok=1, errors=3))) == ("RUNNING", 1)
    assert stands(out.on(counted(errors=3))) == ("ROLLED_BACK", 1)


CHANGES = {
    "split": (update("split", weights={"1": 1, "2": 1}), "ENDED", 50),
    "promote": (update("promote", version="1"), "ENDED", 0),
    "rollback": (update("rollback"), "ENDED", 0),
    "routes": (update("routes", weights={"1": 1}), "ENDED", 0),
    "aliases": (update("routes", aliases={"new": "2"}), "RUNNING", 10),
    "unregister 2": (update("unregister", version="2", force=True), "ROLLED_BACK", 0),
    "unregister 1": (update("unregister", version="1", force=True), "ENDED", 100),
    "unregister": (update("unregister"), "ENDED", None),
    "register 2": (register("2", "new.onnx"), "ROLLED_BACK", 0),
    "abort": (update("rollout", abort=True), "ROLLED_BACK", 0),
    "alias": (update("alias", alias="a", version="2"), "RUNNING", 10),
    "shadow": (update("shadow", version="1", percent=1), "RUNNING", 10),
    "refused": (update("promote", version="9"), "RUNNING", 10),
    "another": (update("rollout", **PLAN), "RUNNING", 10),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_changes_of_the_routes_end_it_with_a_sentence(name):
    """What does not touch the shares leaves it alone."""
    change, state, percent = CHANGES[name]
    out = begun().on(change)
    assert stands(out)[0] == state
    assert bool(out.record.rollout.message) is (state != "RUNNING")
    if percent is not None:
        assert share(out) == percent


def test_a_version_that_breaks_goes_back():
    """A worker that cannot mend it says so."""
    out = begun()
    spec = out.record.versions[1].spec
    out.on(LoadFailed(version="2", generation=spec.generation, error="model_failed", message="It is broken."))
    assert (stands(out)[0], share(out, "1")) == ("ROLLED_BACK", 100)


def test_disagreement_brings_its_own_shadow_and_takes_it_away():
    """The one that was there comes back."""
    out = ready("1", "2", "3").on(update("promote", version="1"), update("shadow", version="3", percent=4))
    out.on(update("rollout", **PLAN, max_disagreement=0.1, compare_percent=20))
    assert (out.record.shadow.version, out.record.shadow.percent) == ("2", 20)
    out.on(update("rollout", abort=True))
    assert (out.record.shadow.version, out.record.shadow.percent) == ("3", 4)
    out = begun(max_disagreement=0.1).on(update("rollout", abort=True))
    assert not out.record.HasField("shadow")


def test_nobody_else_is_the_shadow_of_a_rollout_that_compares():
    """It would wait for copies without end."""
    out = begun(max_disagreement=0.1).on(update("shadow", "u", version="1", percent=5))
    assert (out.answers, out.record.shadow.version) == ([("u", "not_allowed")], "2")
    assert out.on(update("shadow", "v")).answers == [("v", "not_allowed")]


def test_what_gets_no_copies_is_not_rolled_out_by_comparing():
    """It would never have enough of them; and a shadow that is registered as such is none any more."""
    function = register("2", "my/own", runtime="function")
    out = ready("1").on(function, update("promote", version="1"))
    assert out.on(update("rollout", "u", **PLAN, max_disagreement=0.1)).answers == [("u", "bad_request")]
    assert not out.record.HasField("rollout")
    out = ready("1", "2").on(update("promote", version="1"), update("shadow", version="2", percent=5), function)
    assert not out.record.HasField("shadow")


def test_a_version_that_goes_during_a_rollout_leaves_the_former_routes():
    """What is registered under its name later is another one."""
    out = ready("1", "2", "3").on(update("split", weights={"1": 1, "3": 1}), update("promote", version="1"))
    out.on(update("rollout", **PLAN), update("unregister", version="3", force=True), Drained(version="3"))
    assert all("3" not in former.weights for former in out.record.former)


def test_the_router_is_asked_to_tell_soon_of_what_is_rolled_out():
    """As long as it is."""
    out = begun()
    assert [route.tell_every for route in routes_of(out.record).versions] == [0, 10]
    assert [route.tell_every for route in routes_of(out.on(update("rollout", abort=True)).record).versions] == [0, 0]


def test_what_cannot_be_rolled_out_is_refused():
    """Each with its code, and the record stays."""
    for change, code in (
        (update("rollout", "u", version="9"), "version_not_found"),
        (update("rollout", "u", version="1"), "not_allowed"),
        (update("rollout", "u", abort=True), "bad_request"),
        (update("rollout", "u", version="2", steps=[50, 10]), "bad_request"),
    ):
        out = ready("1", "2").on(update("promote", version="1")).on(change)
        assert out.answers == [("u", code)]
        assert not out.record.HasField("rollout")


@given(
    before=st.dictionaries(st.sampled_from(["0", "1", "3"]), st.integers(1, 2**31 - 1), min_size=1),
    steps=st.lists(st.floats(0.01, 100), min_size=2, max_size=4, unique=True).map(sorted),
    keys=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=30),
)
def test_growing_only_moves_requests_into_the_version(before, steps, keys):
    """Whoever was sent to it stays, wherever it stands among the others; weights are what the router takes."""
    former: set[str] = set()
    for percent in steps:
        weights = shares(before, "2", percent)
        ordered = sorted(weights.items())
        assert all(0 < weight < 2**31 for weight in weights.values())
        assert 100 * weights["2"] / sum(weights.values()) == pytest.approx(percent, abs=0.0051)
        now = {key for key in keys if pick(ordered, "m/1", key) == "2"}
        assert former <= now
        former = now


EVENTS: dict[str, Event] = {
    "good": counted(ok=60, compared=60, equal=60),
    "bad": counted(errors=100),
    "slow": counted(ok=60, ms=1000),
    "others": counted("1", ok=60),
    "split": update("split", weights={"1": 1}),
    "abort": update("rollout", abort=True),
    "again": update("rollout", **PLAN, **GUARDS),
    "drop": update("unregister", version="2", force=True),
}


@pytest.mark.parametrize("first", EVENTS)
def test_every_course_of_events_keeps_the_rules(first):
    """All courses of four events: the share is that of the step while it runs, and the former once it goes back.

    What is over stays so until another one begins, and a course from any point on is the same: nothing is remembered
    but the record, so a crash resumes where it was.
    """
    for rest in itertools.product([*EVENTS, "held"], repeat=3):
        out = begun(**GUARDS)
        for name in (first, *rest):
            before, number = stands(out)[0], out.record.rollout.number
            out.on(held(out) if name == "held" else EVENTS[name])
            state, step = stands(out)
            if state == "RUNNING":
                assert share(out) == pytest.approx(PLAN["steps"][step])
                assert {each.version for each in out.record.versions} == {"1", "2"}
            if before != "RUNNING" and out.record.rollout.number == number:
                assert state == before
            if state == "ROLLED_BACK" and before == "RUNNING":
                assert share(out) == 0
            if name == "bad" and before == "RUNNING":
                assert state == "ROLLED_BACK"
