"""The verb `bind`: streams of Cluster Serving clients, each of one model."""

from __future__ import annotations

import json

import pytest
from tests.unit.registry.course import Course, register, update
from tests.unit.registry.test_function import Outcome, serve

from scurry.registry.audit import declared
from scurry.registry.bindings import MOST_STREAMS, decide
from scurry.registry.steps import ClaimStream, ReleaseStream
from scurry.registry.views import view
from scurry.wire.messages_pb2 import (
    Binding,
    Drained,
    Record,
    Replies,
    StreamClaim,
    StreamClaimed,
    Update,
    VersionRecord,
)


def claimed(out: Course, owner: str = "m") -> Course:
    """The stream's address has answered the last claim."""
    (claim,) = out.of(ClaimStream)
    assert isinstance(claim, ClaimStream)
    return out.on(StreamClaimed(update=claim.update, stream=claim.stream, owner=owner))


def bound(*streams: str) -> Course:
    """A model with these streams."""
    out = Course().on(register("1")).load()
    for stream in streams:
        claimed(out.on(update("bind", stream=stream)))
    return out


def test_a_stream_is_the_models_once_its_address_says_so() -> None:
    """Nobody is answered, and nothing noted, before."""
    out = Course().on(register("1")).load().on(update("bind", "u", stream="s", batched=True))
    assert (out.answers, dict(out.record.streams)) == ([], {})
    before = out.record.events
    claimed(out)
    assert (out.answers, out.outcome) == ([("u", "")], "applied")
    assert json.loads(view(out.record))["streams"] == {"s": {"batched": True}}
    assert declared(out.record)["streams"] == {"s": {"batched": True}}
    assert out.record.events == before + 1


def test_a_stream_of_another_model_is_refused() -> None:
    """By the name of that one."""
    out = claimed(Course().on(register("1")).load().on(update("bind", "u", stream="s")), owner="other")
    assert (out.answers, out.outcome, dict(out.record.streams)) == ([("u", "not_allowed")], "not_allowed", {})
    assert "'other'" in out.effects[0].message  # type: ignore[union-attr]


def test_a_model_has_several_streams_and_gives_them_back_one_by_one_or_all() -> None:
    """An empty name is every one."""
    out = bound("a", "b", "c").on(update("bind", "u", stream="b", unbind=True))
    assert (out.answers, out.of(ReleaseStream), sorted(out.record.streams)) == (
        [("u", "")], [ReleaseStream("b")], ["a", "c"],
    )  # fmt: skip
    out.on(update("bind", stream=""))
    assert (out.of(ReleaseStream), dict(out.record.streams)) == ([ReleaseStream("a"), ReleaseStream("c")], {})
    assert out.on(update("bind", "w", stream="b", unbind=True)).answers == [("w", "bad_request")]


def test_a_stream_that_is_bound_already_is_not_claimed_again() -> None:
    """Only what is known of it changes."""
    out = bound("s").on(update("bind", "u", stream="s", batched=True))
    assert (out.answers, out.of(ClaimStream), out.record.streams["s"].batched) == ([("u", "")], [], True)


def test_a_model_that_goes_gives_its_streams_back() -> None:
    """Also one that it is given when it is gone."""
    out = bound("s")
    assert Course().on(update("bind", "u", stream="s")).answers == [("u", "model_not_found")]
    out.on(update("bind", "v", stream="t"))
    (claim,) = out.of(ClaimStream)
    out.on(update("unregister", force=True))
    out.on(Drained(version="1", generation=out.record.versions[0].spec.generation))
    assert (out.of(ReleaseStream), dict(out.record.streams)) == ([ReleaseStream("s")], {})
    assert isinstance(claim, ClaimStream)
    out.on(StreamClaimed(update=claim.update, stream="t", owner="m"))
    assert (out.answers, out.of(ReleaseStream)) == ([("v", "model_not_found")], [ReleaseStream("t")])


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": "x" * 257}, {"stream": "a\nb"}, {"stream": "cluster-serving_s"}, {"streams": "s"},
        {"stream": "s", "unbind": True, "batched": True},
    ],
)  # fmt: skip
def test_what_cannot_be_a_stream_is_refused(fields: dict[str, object]) -> None:
    """With a sentence that names the field."""
    out = Course().on(register("1")).load().on(update("bind", "u", **fields))
    assert out.answers == [("u", "bad_request")]
    assert "bind" in out.effects[0].message  # type: ignore[union-attr]


def test_a_models_streams_are_bounded() -> None:
    """They travel with its record."""
    out = bound()
    for number in range(MOST_STREAMS):
        out.record.streams[str(number)].SetInParent()
    assert out.on(update("bind", "u", stream="s")).answers == [("u", "too_large")]


def test_who_asks_first_has_a_stream_until_it_is_given_back_by_him() -> None:
    """At the stream's own address."""
    record, wanted = Record(), Update(id="u")
    for model, owner in (("a", "a"), ("b", "a"), ("a", "a")):
        answer = decide(record, StreamClaim(stream="s", model=model, update=wanted))
        assert answer == StreamClaimed(update=wanted, stream="s", owner=owner)
    assert decide(record, StreamClaim(stream="s", model="b")) is None
    assert record.owner == "a"
    decide(record, StreamClaim(stream="s", model="a"))
    assert record.owner == ""


async def test_the_function_carries_claims_from_model_to_stream_and_back() -> None:
    """By messages between its own addresses."""
    held = Record(model="m", versions=[VersionRecord(version="1")]).SerializeToString()
    asked = await serve(held, update("bind", "u", stream="s"))
    (_, key, claim), = asked.sent
    assert (key, claim.model, claim.stream) == ("stream:s", "m", "s")
    there = await serve(None, claim, key="stream:s")
    (_, key, answer), = there.sent
    assert (key, answer.owner, there.egress) == ("m", "m", [])
    done: Outcome = await serve(held, answer)
    assert done.state is not None
    assert Record.FromString(done.state).streams["s"] == Binding()
    assert [reply.id for replies in done.of(Replies) for reply in replies.replies] == ["u"]
    away = await serve(done.state, update("bind", stream=""))
    (_, key, back), = away.sent
    assert (key, back.HasField("update")) == ("stream:s", False)
    assert there.state is not None
    assert Record.FromString((await serve(there.state, back, key="stream:s")).state or b"").owner == ""
