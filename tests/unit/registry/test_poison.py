"""Whatever is in its mail, the registry answers the call and every message in it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from tests.unit.registry.test_function import Outcome, loaded, register, serve
from tests.unit.wire.strategies import calls

from scurry.endpoint.call import Message
from scurry.wire import messages_pb2 as pb
from scurry.wire.messages_pb2 import Promote, Record, Register, Remind, Split, Update

KINDS = ["Update", "Loaded", "LoadFailed", "Loading", "Remind", "Drained", "Bounced", "RoutesWanted"]


def answered(out: Outcome) -> list[tuple[str, str]]:
    """(id, code) of every reply, whichever way it leaves."""
    direct = [reply for replies in out.of(pb.Replies) for reply in replies.replies]
    announced = [reply for routes in out.of(pb.Routes) for reply in routes.announce.replies]
    return [(reply.id, reply.error) for reply in [*direct, *announced]]


def probe(token: str) -> Update:
    """A message that is refused, whatever the record says."""
    return Update(model="m", id=token, promote=Promote(version="nobody"))


@settings(max_examples=120, deadline=None)
@given(calls(*KINDS))
async def test_no_message_spoils_its_call(poison: Sequence[tuple[str, bytes]]) -> None:
    """Messages before it and behind it are answered once each, and the record can be read and shown again."""
    state = (await serve(None, register(version="1"), *loaded(0, 1), register(version="2"))).state
    out = await serve(state, probe("probe-a"), *(Message(*value) for value in poison), probe("probe-b"))
    ids = [token for token, _ in answered(out)]
    assert (ids.count("probe-a"), ids.count("probe-b")) == (1, 1)
    for view in out.of(pb.View):
        assert view.record == "" or json.loads(view.record, parse_constant=pytest.fail)
    for audit in out.of(pb.Audit):
        assert len(audit.update.encode()) < 130_000
    out = await serve(out.state, probe("after"))
    assert [token for token, _ in answered(out)] == ["after"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Update(register=Register(uri="a", config="no JSON")), "register.config is not JSON"),
        (Update(register=Register(uri="a", config="[" * 60_000)), "register.config is not JSON"),
        (Update(register=Register(uri="a", config='{"a":' + "[" * 64 + "]" * 64 + "}")), "more than 64 brackets"),
        (Update(register=Register(uri="a", config='{"a": NaN}')), "register.config is not JSON"),
        (Update(register=Register(uri="a", config=json.dumps({"a": "x" * 70_000}))), "at most 65536 bytes"),
        (Update(register=Register(uri="a" * 5000)), "register.uri has more than 4096 bytes"),
        (Update(register=Register(uri="a\0b")), "register.uri"),
        (Update(register=Register(uri="a", version="v" * 1_000_000)), "is no name"),
        (Update(register=Register(uri="a", runtime="r" * 1_000_000)), "register.runtime"),
        (Update(json="[" * 100_000), "update is not JSON"),
        (Update(json='{"register": ' + "[" * 100_000), "update is not JSON"),
        (Update(json='{"promote": {"version": "\\ud800"}}'), "update is not JSON"),
        (Update(json="x" * 300_000), "update has more than"),
        (Update(split=Split(weights={"1": 2**31 - 1, "stable": 2**31 - 1})), "at most"),
        (Update(split=Split(weights={"1": -1})), "must be a whole number from 0"),
    ],
)  # fmt: skip
async def test_a_change_that_makes_no_sense_is_refused(change: Update, words: str) -> None:
    """It is answered by name in a sentence of bounded length, noted, and nothing changes."""
    state = (await serve(None, register(version="1"), *loaded(0, 1))).state
    state = (await serve(state, Update(json='{"alias": {"alias": "stable", "version": "1"}}'))).state
    change.id = "bad"
    out = await serve(state, change, probe("next"))
    assert answered(out) == [("bad", "bad_request"), ("next", "version_not_found")]
    (reply,) = [reply for replies in out.of(pb.Replies) for reply in replies.replies if reply.id == "bad"]
    assert words in reply.message
    assert len(reply.message.encode()) <= 1024
    assert [audit.outcome for audit in out.of(pb.Audit)] == ["bad_request", "version_not_found"]
    assert all(len(audit.update) < 70_000 for audit in out.of(pb.Audit))
    assert not out.kept


@pytest.mark.parametrize("attempt", [-(2**31), -1, 0, 5_000, 2**31 - 1])
async def test_a_reminder_of_an_impossible_number(attempt: int) -> None:
    """It neither overflows nor counts to two billion."""
    state = (await serve(None, register())).state
    out = await serve(state, Remind(version="1", generation=1, attempt=attempt), probe("next"))
    assert ("next", "version_not_found") in answered(out)


async def test_what_fails_for_a_reason_of_our_own_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had begun to say is unsaid, it is answered and kept; the rest of the call goes on."""

    def fail(effect: object) -> int:
        raise RecursionError("too deep")

    monkeypatch.setattr("scurry.registry.function.pause_ms", fail)
    out = await serve(None, register("bad"), probe("next"))
    assert answered(out) == [("bad", "internal"), ("next", "model_not_found")]
    assert (out.sent, out.kept) == ([], False)
    (letter,) = out.of(pb.DeadLetter)
    assert letter.cause == "internal: The registry failed on it: RecursionError: too deep"
    assert Update.FromString(letter.fields["value"]).id == "bad"


async def test_what_nobody_can_read_is_put_aside() -> None:
    """Type and bytes are kept for people to look at."""
    out = await serve(None, Message("scurry.v1/Update", b"\xff"), Message("a/b", b"x"), probe("next"))
    assert [(letter.fields["type"], letter.fields["value"]) for letter in out.of(pb.DeadLetter)] == [
        (b"scurry.v1/Update", b"\xff"),
        (b"a/b", b"x"),
    ]
    assert answered(out) == [("next", "model_not_found")]


async def test_the_digest_of_a_message_stands_on_its_reply() -> None:
    """The egress tells a retry from another message of the same id by it."""
    asked = probe("a")
    asked.digest = b"0123456789abcdef"
    out = await serve(None, asked)
    assert [reply.digest for replies in out.of(pb.Replies) for reply in replies.replies] == [asked.digest]
    assert Record.FromString(out.state or b"") == Record()
