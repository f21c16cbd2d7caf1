"""Which registered versions are in memory."""

from __future__ import annotations

from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.record import weights_of
from scurry.registry.views import view
from scurry.wire.messages_pb2 import DRAINING, LOADING, READY, REGISTERED, Drained, LoadFailed, Policy, Update


def states(out: Course) -> dict[str, int]:
    """Where each version stands."""
    return {entry.version: entry.state for entry in out.record.versions}


def drained(out: Course) -> Course:
    """Nothing is on its way to what drains."""
    for entry in list(out.record.versions):
        if entry.state == DRAINING:
            out.on(Drained(version=entry.version, generation=entry.spec.generation))
    return out


def test_under_latest_the_oldest_makes_way_once_the_new_one_is_ready() -> None:
    """Not before: until then two take requests; and it stays registered."""
    out = ready("1", "2").on(update("policy", latest=2), register("3"))
    assert states(out) == {"1": READY, "2": READY, "3": LOADING}
    out.load("3")
    assert states(out) == {"1": DRAINING, "2": READY, "3": READY}
    assert states(drained(out)) == {"1": REGISTERED, "2": READY, "3": READY}
    assert '"unloaded_by":"policy"' in view(out.record)


def test_a_new_version_that_fails_unloads_nothing() -> None:
    """The two that answer go on."""
    out = ready("1", "2").on(update("policy", latest=2), register("3"), LoadFailed(version="3", generation=4))
    assert (states(out)["1"], states(out)["2"]) == (READY, READY)


def test_what_the_policy_unloaded_comes_back_when_there_is_room() -> None:
    """The newest is unregistered or breaks: the next one is loaded again."""
    out = drained(ready("1", "2", "3").on(update("policy", latest=2)))
    out.on(update("unregister", version="3", force=True))
    assert states(out) == {"1": LOADING, "2": READY, "3": DRAINING}


def test_what_somebody_unloaded_stays_so() -> None:
    """Whatever room the policy has."""
    out = drained(ready("1", "2").on(update("policy", latest=5), update("unload", version="1")))
    out.on(register("3")).load("3")
    assert states(out)["1"] == REGISTERED


def test_specific_versions_are_in_memory_and_no_others() -> None:
    """What is not named is registered without being loaded, and loaded once it is named."""
    out = drained(ready("1", "2").on(update("policy", specific=["2"]))).on(register("3", token="r"))
    assert (states(out), out.answers) == ({"1": REGISTERED, "2": READY, "3": REGISTERED}, [("r", "")])
    out.on(update("load", "l", version="3"))
    assert out.answers == [("l", "not_allowed")]
    out.on(update("policy", specific=["2", "3"]))
    assert states(out) == {"1": REGISTERED, "2": READY, "3": LOADING}
    out.load("3").on(update("policy", all=True))
    assert states(out) == {"1": LOADING, "2": READY, "3": READY}


def test_what_has_a_share_or_an_alias_stays() -> None:
    """A policy drops no request; once they are moved it is followed."""
    out = ready("1", "2", "3").on(update("split", weights={"1": 1}), update("alias", alias="a", version="2"))
    out.on(update("policy", latest=1))
    assert set(states(out).values()) == {READY}
    out.on(update("promote", version="3"))
    assert states(out) == {"1": DRAINING, "2": READY, "3": READY}
    out.on(update("alias", alias="a", version="3"))
    assert states(out)["2"] == DRAINING


def test_an_alias_brings_back_what_the_policy_unloaded() -> None:
    """Somebody wants it."""
    out = drained(ready("1", "2").on(update("policy", latest=1)))
    assert states(out.on(update("alias", alias="a", version="1")))["1"] == LOADING


def test_the_last_that_takes_requests_stays() -> None:
    """Until another one does that the policy names."""
    out = ready("1").on(update("policy", specific=["2"]))
    assert (states(out), weights_of(out.record)) == ({"1": READY}, {"1": 1})
    out.on(register("2")).load("2")
    assert states(out) == {"1": DRAINING, "2": READY}


def test_a_config_brings_the_policy_of_its_model() -> None:
    """In Triton's form, as a version's config has it."""
    out = ready("1", "2").on(register("3", config={"version_policy": {"latest": {"num_versions": 1}}})).load("3")
    assert out.record.policy == Policy(latest=1)
    assert states(out) == {"1": DRAINING, "2": DRAINING, "3": READY}
    out.on(register("4", token="r", config={"version_policy": {"newest": 1}}))
    assert out.answers == [("r", "bad_request")]


def test_protobuf_is_held_to_the_same() -> None:
    """A policy that says nothing, or two things, is none."""
    for policy in (Policy(), Policy(latest=1, all=True), Policy(latest=-1), Policy(specific=["a b"])):
        assert ready("1").on(Update(model="m", id="u", policy=policy)).answers == [("u", "bad_request")]


def test_a_model_that_comes_back_has_no_policy() -> None:
    """It went with the model."""
    out = drained(ready("1").on(update("policy", specific=["1"]), update("unregister")))
    out.on(register("2")).load("2")
    assert (states(out), out.record.HasField("policy")) == ({"2": READY}, False)


def test_what_serves_against_the_policy_is_replaced_as_a_whole() -> None:
    """It is the last that takes requests: it goes on until its replacement is loaded."""
    out = ready("1").on(update("policy", specific=["2"]), register("1", "b.onnx"))
    assert weights_of(out.record) == {"1": 1}
    assert weights_of(out.load("1").record) == {"1": 1}
