"""Whatever is in its mail, the router answers the call and every request in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.router.asking import FROM_ROUTER, Outcome, many, requests, route, routed, serve
from tests.unit.wire.strategies import calls

from scurry.endpoint.call import Message
from scurry.wire.messages_pb2 import Bounced, Done, Request, Requests, Routes
from scurry.wire.names import INFERENCE

KINDS = ["Requests", "Done", "Bounced", "Routes", "Reply", "Drained", "Expire"]
CALLERS = [None, FROM_ROUTER, ("scurry/registry", "m"), (INFERENCE, "m@1/0"), ("example/upper", "m@1/0")]


def results(out: Outcome) -> Counter[str]:
    """How often each id was answered, or is on its way to be."""
    found = Counter(reply.id for reply in out.replies)
    for value in [*(value for _, _, value in out.sent), *(value for _, _, value in out.delayed)]:
        if isinstance(value, Requests):
            found.update(request.id for request in value.requests)
        elif isinstance(value, Request):
            found[value.id] += 1
    return found


@settings(max_examples=120, deadline=None)
@given(calls(*KINDS), st.lists(st.sampled_from(CALLERS), min_size=6, max_size=6), st.booleans())
async def test_no_message_spoils_its_call(
    poison: Sequence[tuple[str, bytes]], callers: Sequence[tuple[str, str] | None], known: bool
) -> None:
    """A request before it and one behind it each get exactly one result."""
    state = await routed(route("1"), route("2"), aliases={"latest": "1"}) if known else None
    mail = [Message(typename, value, caller) for (typename, value), caller in zip(poison, callers, strict=False)]
    out = await serve(state, requests("probe-a"), *mail, requests("probe-b"))
    found = results(out)
    assert (found["probe-a"], found["probe-b"]) == (1, 1)
    await serve(out.state, requests("after"))


async def test_a_cut_message_does_not_take_others_with_it() -> None:
    """Requests of one call are joined; what cannot be read is left out first, and kept for people to look at."""
    cut = Message("scurry.v1/Requests", requests("x").SerializeToString()[:-1])
    out = await serve(await routed(route("1")), requests("a"), cut, requests("b"))
    assert [ids for _, ids, _, _ in out.lanes] == [["a", "b"]]
    (letter,) = out.dead
    assert letter.fields["type"] == b"scurry.v1/Requests"
    assert letter.fields["value"] == cut.value
    assert letter.cause.startswith("bad_request: ")


async def test_bytes_that_would_swallow_the_next_message() -> None:
    """A length that reaches into the next message is no way to make that disappear."""
    greedy = Message("scurry.v1/Requests", b"\x0a\x20")
    out = await serve(await routed(route("1")), greedy, requests("a"), requests("b"))
    assert [ids for _, ids, _, _ in out.lanes] == [["a", "b"]]


@pytest.mark.parametrize("attempt", [-(2**31), -7, 2**31 - 1])
async def test_a_bounced_request_with_an_impossible_count(attempt: int) -> None:
    """It is sent again or answered, never asked about for ever."""
    lost = Requests(requests=[Request(id="a", attempt=attempt, blame=attempt)], version="1")
    bounced = Bounced(message=lost.SerializeToString(), typename="scurry.v1/Requests", address="m@1/0", executing=True)
    assert results(await serve(await routed(route("1")), bounced))["a"] == 1


async def test_a_report_of_no_lane_counts_for_none() -> None:
    """A negative lane is not the last one."""
    state = (await serve(await routed(route("1")), many(100))).state
    out = await serve(state, Done(version="1", lane=-1, sequence=50))
    assert not out.kept


async def test_what_fails_for_a_reason_of_our_own_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request on which our own code fails is answered and kept; what shared its call goes its way."""

    def fail(weights: object, experiment: str, key: str) -> str:
        if key == "bad":
            raise RecursionError("too deep")
        return "1"

    monkeypatch.setattr("scurry.router.split.pick", fail)
    state = await routed(route("1"), route("2"))
    out = await serve(state, requests("a", "bad", "b"), Routes(epoch=6, versions=[route("2")]), requests("c"))
    assert results(out) == {"a": 1, "bad": 1, "b": 1, "c": 1}
    assert out.errors == {"bad": "internal"}
    assert [letter.request.id for letter in out.dead] == ["bad"]
    assert [key for key, ids, _, _ in out.lanes if "c" in ids] == ["m@2/0"]
