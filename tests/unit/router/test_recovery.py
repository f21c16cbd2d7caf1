"""Requests that come back from lost workers."""

from __future__ import annotations

import pytest
from tests.unit.router.asking import (
    NOW,
    SPEC,
    forwarded,
    given_up,
    many,
    requests,
    route,
    routed,
    sent_by_router,
    serve,
)

from scurry.endpoint.call import Call, Message
from scurry.router import policy
from scurry.router.function import Router
from scurry.wire.messages_pb2 import Bounced, Done, Drained, ModelSpec, Request, Requests, RouterState, Routes
from scurry.wire.names import REGISTRY, ROUTER


def lost(value: Requests, address: str = "m@1/0", *, executing: bool = True, alone: bool = False) -> Bounced:
    """A batch that came back."""
    return Bounced(
        message=value.SerializeToString(), typename="scurry.v1/Requests", address=address, cause="Worker w is gone.",
        executing=executing, alone=alone,
    )  # fmt: skip


async def test_suspects_are_sent_again_one_by_one() -> None:
    """Each alone, after a pause, at the version chosen first; the lane counts them as finished."""
    state, value = await forwarded(3)
    out = await serve(state, lost(value))
    assert [([r.id for r in again.requests], again.solo) for _, _, again in out.delayed] == [
        (["r0"], True), (["r1"], True), (["r2"], True),
    ]  # fmt: skip
    assert len({delay for delay, _, _ in out.delayed}) == 3, "they are kept apart"
    assert all(100 <= delay < 260 for delay, _, _ in out.delayed)
    assert all((r.attempt, r.blame) == (1, 0) for _, _, again in out.delayed for r in again.requests)
    assert list(RouterState.FromString(out.state or b"").versions[0].done) == [3, 0]
    newer = ModelSpec(uri="/n.onnx", generation=4)
    leaving = Routes(epoch=6, versions=[route("1", draining=True, spec=newer), route("2")])
    state = (await serve(out.state, leaving)).state
    again = await serve(state, *(sent_by_router(value) for _, _, value in out.delayed))
    assert [(key, [r.id for r in v.requests], v.solo, v.version, v.spec) for _, key, v in again.sent] == [
        ("m@1/solo/s/r0-0", ["r0"], True, "1", newer),
        ("m@1/solo/s/r1-0", ["r1"], True, "1", newer),
        ("m@1/solo/s/r2-0", ["r2"], True, "1", newer),
    ]
    assert all(v.report for _, _, v in again.sent)


async def test_a_version_drains_until_what_was_away_is_answered() -> None:
    """It is not unloaded under requests that wait to be sent again, nor under those that run alone."""
    state, value = await forwarded(2)
    state = (await serve(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state or b""
    out = await serve(state, lost(value))
    assert out.sent == []
    out = await serve(out.state, sent_by_router(out.delayed[0][2]), sent_by_router(out.delayed[1][2]))
    assert [key for _, key, _ in out.sent] == ["m@1/solo/s/r0-0", "m@1/solo/s/r1-0"]
    first, second = (value for _, _, value in out.sent)
    out = await serve(out.state, Done(version="1", lane=-1, sequence=first.sequence))
    assert out.sent == []
    out = await serve(out.state, lost(second, "m@1/solo/s/r1-0", executing=False))
    assert out.sent == []
    out = await serve(out.state, sent_by_router(out.delayed[0][2]))
    assert [key for _, key, _ in out.sent] == ["m@1/solo/s/r1-0"]
    out = await serve(out.state, Done(version="1", lane=-1, sequence=1))
    told = [(to, value.version, value.expired) for to, _, value in out.sent if isinstance(value, Drained)]
    assert told == [(REGISTRY, "1", False)]


@pytest.mark.parametrize("executing", [True, False])
async def test_what_was_away_brings_no_dropped_version_back(executing: bool) -> None:
    """It goes where a new request would go: to another version, or back to its caller."""
    state, value = await forwarded(2)
    value.requests[1].version = "1"
    out = await serve(state, lost(value, executing=executing))
    gone = (await serve(out.state, Routes(epoch=6, versions=[route("2")]))).state
    out = await serve(gone, *(sent_by_router(value) for _, _, value in out.delayed))
    assert [(key.partition("/")[0], ids) for key, ids, _, _ in out.lanes] == [("m@2", ["r0"])]
    assert (await given_up(out)).errors == {"r1": "version_not_found"}


async def test_equal_entry_ids_of_two_streams_are_two_addresses() -> None:
    """An entry id is unique in its stream only: what must run alone would share a call."""
    twins = [Request(id=i, entry=f"{stream}/9-0") for i, stream in (("a", "n:requests"), ("b", "n:bulk"))]
    again = [sent_by_router(Requests(requests=[twin], version="1", solo=True)) for twin in twins]
    out = await serve(await routed(route("1")), *again)
    assert [key for _, key, _ in out.sent] == ["m@1/solo/n:requests/9-0", "m@1/solo/n:bulk/9-0"]


async def test_a_request_that_bounced_is_counted_once() -> None:
    """Routed in all means accepted, however often it travels."""
    state, value = await forwarded(3)
    out = await serve(state, lost(value, executing=False))
    out = await serve(out.state, sent_by_router(out.delayed[0][2]))
    assert RouterState.FromString(out.state or b"").versions[0].requests == 3


async def test_what_bounced_is_counted_for_prometheus() -> None:
    """By this process, since it began; once for each time that a request came back."""
    state, value = await forwarded(3)
    router = Router(lambda: NOW)
    mail = Message("scurry.v1/Bounced", lost(value).SerializeToString())
    await router.serve([Call(ROUTER, "m", [mail], state)], lambda _: None)
    (figure,) = router.figures()
    assert (figure.name, figure.value) == ("scurry_router_bounced_total", 3)


async def test_a_user_functions_request_comes_back_too() -> None:
    """Its slot is free at once; after the pause it is sent again, on a lane."""
    state = await routed(route("1", function="example/upper"))
    out = await serve(state, requests("a"))
    ((_, key, told),) = out.sent
    bounced = Bounced(message=told.SerializeToString(), typename="scurry.v1/Request", address=key, executing=True)
    out = await serve(out.state, bounced)
    (counters,) = RouterState.FromString(out.state or b"").versions
    assert (list(counters.sent), list(counters.done), counters.away) == ([1, 0], [1, 0], 1)
    out = await serve(out.state, sent_by_router(out.delayed[0][2]))
    assert [(to, key, value.id) for to, key, value in out.sent] == [("example/upper", "m@1/0", "a")]
    (counters,) = RouterState.FromString(out.state or b"").versions
    assert (list(counters.sent), counters.away) == ([2, 0], 0)


async def test_what_no_router_sent_is_put_aside() -> None:
    """A bounced message of another type has no request in it."""
    out = await serve(await routed(route("1")), Bounced(typename="scurry.v1/Load", address="m@1/load/0"), requests("a"))
    assert [ids for _, ids, _, _ in out.lanes] == [["a"]]
    assert [letter.fields["type"] for letter in out.dead] == [b"scurry.v1/Bounced"]


async def test_what_was_not_executing_is_sent_again_together() -> None:
    """Nobody is to blame: one message, on a lane, no try charged."""
    state, value = await forwarded(3)
    out = await serve(state, lost(value, executing=False))
    ((delay, _, again),) = out.delayed
    assert (delay, len(again.requests), again.solo) == (100, 3, False)
    out = await serve(out.state, sent_by_router(again))
    assert out.lanes == [("m@1/0", ["r0", "r1", "r2"], 6, False)]
    assert {(r.attempt, r.blame) for r in out.sent[0][2].requests} == {(1, 0)}


async def test_a_draining_version_still_answers_what_bounced() -> None:
    """The choice stands: no request is dropped by a switch."""
    state, value = await forwarded(2)
    state = (await serve(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state or b""
    out = await serve(state, lost(value, executing=False))
    out = await serve(out.state, sent_by_router(out.delayed[0][2]))
    assert out.lanes == [("m@1/0", ["r0", "r1"], 4, True)]


async def test_only_what_ran_alone_is_charged_with_a_try() -> None:
    """Three losses alone, and the request is answered and buried as it came."""
    state, _ = await forwarded(1)
    request = Request(id="a", model="m", entry="s/9-0", body=b"x", version="latest")
    for attempt in (1, 2):
        again = Requests(requests=[request], spec=SPEC, version="1", solo=True)
        out = await serve(state, lost(again, "m@1/solo/9-0", alone=True))
        ((delay, _, value),) = out.delayed
        request = value.requests[0]
        assert (request.attempt, request.blame) == (attempt, 2 * attempt)
        assert 0 <= delay - 100 * 2 ** (attempt - 1) < 160
    out = await serve(state, lost(Requests(requests=[request], spec=SPEC, solo=True), "m@1/solo/9-0", alone=True))
    assert out.delayed == []
    (reply,) = out.replies
    assert (reply.error, reply.version) == ("worker_lost", "1")
    assert "ran apart from others" in reply.message
    assert "Worker w is gone." in reply.message
    (letter,) = out.dead
    assert letter.request == Request(id="a", model="m", entry="s/9-0", body=b"x", version="latest")
    assert letter.attempts == 3
    assert not reply.consumed, "a dead letter may be sent again: its parked inputs stay"


@pytest.mark.parametrize("alone", [True, False])
async def test_a_request_on_a_lane_is_not_charged(alone: bool) -> None:
    """Other messages may have been in its call: it runs apart next time, and only that counts."""
    state, value = await forwarded(1)
    out = await serve(state, lost(value, alone=alone))
    ((_, _, again),) = out.delayed
    assert (again.solo, again.requests[0].attempt, again.requests[0].blame) == (True, 1, 0)


async def test_bouncing_has_an_end_even_if_nothing_ran() -> None:
    """Twenty times without a worker, then worker_lost."""
    request = Request(id="a", attempt=19)
    out = await serve(await routed(route("1")), lost(Requests(requests=[request], sequence=0), executing=False))
    assert out.errors == {"a": "worker_lost"}


async def test_deadlines_hold_for_what_bounced() -> None:
    """Before the pause and after it."""
    state = await routed(route("1"))
    late = Request(id="late", deadline=NOW)
    soon = Request(id="soon", deadline=NOW + 50)
    out = await serve(state, lost(Requests(requests=[late, soon])))
    assert out.errors == {"late": "deadline_exceeded"}
    out = await serve(out.state, sent_by_router(out.delayed[0][2]), now=NOW + 100)
    assert out.errors == {"soon": "deadline_exceeded"}
    assert out.sent == []


async def test_a_bounced_flush_counts_as_its_report() -> None:
    """A worker that is lost with an empty batch does not keep a version draining."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    out = await serve(state, Routes(epoch=6, versions=[route("1", draining=True)]))
    flush = out.sent[0][2]
    out = await serve(out.state, lost(flush, executing=False))
    assert [(to, value.version) for to, _, value in out.sent if isinstance(value, Drained)] == [(REGISTRY, "1")]
    assert out.delayed == []


async def test_a_version_that_ends_its_workers_computes_apart_for_a_while() -> None:
    """Until then no worker takes its requests into itself; another spec is not under suspicion."""
    state, value = await forwarded(1)
    state = (await serve(state, lost(value))).state
    found = await serve(state, Done(version="1", lane=-1, sequence=1, suspicious=True))
    for when, apart in ((NOW, True), (NOW + policy.APART_MS - 1, True), (NOW + policy.APART_MS, False)):
        out = await serve(found.state, many(2), now=when)
        assert [(key, v.solo) for _, key, v in out.sent] == [("m@1/0", apart)]
    newer = ModelSpec(uri="/n.onnx", generation=4)
    state = (await serve(found.state, Routes(epoch=6, versions=[route("1", spec=newer)]))).state
    assert [v.solo for _, _, v in (await serve(state, many(2))).sent if isinstance(v, Requests)] == [False]


async def test_what_computes_apart_in_a_lane_is_not_to_blame_for_its_worker() -> None:
    """Not the worker ran it: what comes back from there is charged no more than any other batch."""
    state, value = await forwarded(3)
    value.solo = True
    out = await serve(state, lost(value, alone=True))
    assert [r.blame for _, _, again in out.delayed for r in again.requests] == [0, 0, 0]
