"""Requests out to versions and lanes."""

from __future__ import annotations

import pytest
from tests.unit.router.asking import NOW, given_up, many, requests, route, routed, serve

from scurry.endpoint.call import Call, Message
from scurry.router import split
from scurry.router.function import Router
from scurry.router.policy import Bounds
from scurry.wire.messages_pb2 import Done, Replies, Request, Requests, RouterState, Routes
from scurry.wire.names import INFERENCE, ROUTER


async def test_a_pile_larger_than_a_model_call_is_divided() -> None:
    """Both lanes get a share, in order, and both report."""
    out = await serve(await routed(route("1")), many(100))
    assert [(key, len(ids), sequence, report) for key, ids, sequence, report in out.lanes] == [
        ("m@1/0", 50, 50, True),
        ("m@1/1", 50, 50, True),
    ]
    assert [i for _, ids, _, _ in out.lanes for i in ids] == [f"r{n}" for n in range(100)]


async def test_beyond_all_lanes_requests_are_refused() -> None:
    """Sixteen lanes of 128 take 2,048; the rest is told that it may try again."""
    out = await serve(await routed(route("1")), many(2_100))
    assert sum(len(ids) for _, ids, _, _ in out.lanes) == 16 * 128
    assert len({key for key, *_ in out.lanes}) == 16
    assert set(out.errors.values()) == {"overloaded"}
    assert len(out.replies) == 2_100 - 2_048
    state = RouterState.FromString(out.state or b"")
    assert (state.versions[0].requests, state.versions[0].refused) == (2_048, 52)
    assert len(out.state or b"") < 400


@pytest.mark.parametrize("told", [0, 4])
async def test_a_bound_that_fell_below_what_is_outstanding_is_no_trap(told: int) -> None:
    """A slow report, or a smaller `max_queue_size`, leaves requests outstanding that nobody was to report."""
    state = (await serve(await routed(route("1")), many(7))).state
    if told:
        tight = route("1")
        tight.max_queue_size = told
        state = (await serve(state, Routes(epoch=9, versions=[tight]))).state
    else:
        state = (await serve(state, Done(version="1", lane=1, busy_micros=60_000_000, requests=1))).state
    out = await serve(state, requests("x"))
    assert out.errors == {"x": "overloaded"}
    assert out.lanes == [("m@1/0", [], 7, True)]
    state = (await serve(out.state, Done(version="1", lane=0, sequence=7))).state
    assert (await serve(state, requests("y"))).errors == {}


async def test_lanes_shrink_again() -> None:
    """When the extra lanes are idle the state forgets them."""
    out = await serve(await routed(route("1")), many(2_048))
    last = {key: sequence for key, _, sequence, _ in out.lanes}
    reports = [Done(version="1", lane=int(key.rpartition("/")[2]), sequence=seq) for key, seq in last.items()]
    state = RouterState.FromString((await serve(out.state, *reports)).state or b"")
    assert list(state.versions[0].sent) == list(state.versions[0].done)
    assert len(state.versions[0].sent) == 2


async def test_bulk_requests_are_never_refused() -> None:
    """They wait in the mail of a lane."""
    full = (await serve(await routed(route("1")), many(2_048))).state
    out = await serve(full, requests("b1", "b2", bulk=True), requests("x"))
    assert [(key, ids) for key, ids, _, _ in out.lanes] == [("m@1/16", ["b1", "b2"])]
    assert out.errors == {"x": "overloaded"}
    bulk = await serve(full, many(3_000, bulk=True))
    assert {int(key.rpartition("/")[2]) for key, *_ in bulk.lanes} == set(range(16, 32))
    assert (sum(len(ids) for _, ids, _, _ in bulk.lanes), bulk.replies) == (3_000, [])


async def test_versions_by_name_alias_and_weight() -> None:
    """Each request goes where it says; those that say nothing are shared by hash."""
    state = await routed(route("1", 1), route("2", 1), route("3", 0), aliases={"stable": "3"})
    mixed = Requests()
    for version, count in (("1", 2), ("stable", 2), ("", 40)):
        for number in range(count):
            mixed.requests.add(id=f"{version}-{number}", version=version)
    out = await serve(state, mixed)
    ways = {key.partition("/")[0]: ids for key, ids, _, _ in out.lanes}
    assert set(ways) == {"m@1", "m@2", "m@3"}
    assert ways["m@3"] == ["stable-0", "stable-1"]
    assert {"1-0", "1-1"} <= set(ways["m@1"])
    for number in range(40):
        version = split.pick([("1", 1), ("2", 1)], "m/0", f"-{number}")
        assert f"-{number}" in ways[f"m@{version}"]


async def test_a_sticky_key_beats_the_id() -> None:
    """All requests of one key go to one version."""
    out = await serve(await routed(route("1", 1), route("2", 1)), many(30, key="user-7"))
    assert len(out.lanes) == 1


@pytest.mark.parametrize(
    ("routes", "version", "code"),
    [
        (None, "", "model_not_found"),
        (None, "1", "model_not_found"),
        (Routes(epoch=1, pending=["1"]), "", "model_not_ready"),
        (Routes(epoch=1, pending=["1"]), "1", "model_not_ready"),
        (Routes(epoch=1, pending=["1"]), "2", "version_not_found"),
        (Routes(epoch=1, failed=["1"]), "", "model_not_ready"),
        (Routes(epoch=1, failed=["1"]), "1", "model_not_ready"),
        (Routes(epoch=1, versions=[route("1")]), "2", "version_not_found"),
        (Routes(epoch=1, versions=[route("1"), route("2", draining=True)]), "2", "version_not_found"),
        (Routes(epoch=1, versions=[route("1", draining=True)]), "", "model_not_ready"),
    ],
)
async def test_what_cannot_be_routed_is_answered(routes: Routes | None, version: str, code: str) -> None:
    """In the end each gets a stable code and a sentence, and whoever asks first leaves no state behind."""
    state = (await serve(None, routes)).state if routes else None
    out = await serve(state, requests("a", version=version, reply="back", keep=7, bulk=True, encoding=1))
    assert (out.replies, out.lanes) == ([], []), "it is held first"
    out = await given_up(out)
    (reply,) = out.replies
    assert (reply.error, reply.id, reply.entry, reply.reply, reply.model) == (code, "a", "s/a-0", "back", "m")
    assert (reply.keep, reply.bulk, reply.encoding) == (7, True, 1)
    assert reply.message.endswith(".")
    assert out.lanes == []
    assert out.dead == []
    left = RouterState.FromString(out.state or b"")
    assert (left.held, left.routes) == (0, RouterState.FromString(state or b"").routes)
    assert (out.state is None) == (state is None)


async def test_a_deadline_that_has_passed() -> None:
    """It is answered instead of computed; others of the same message go on."""
    mixed = Requests()
    for name, deadline in (("late", NOW), ("none", 0), ("early", NOW + 1)):
        mixed.requests.add(id=name, deadline=deadline)
    out = await serve(await routed(route("1")), mixed)
    assert out.errors == {"late": "deadline_exceeded"}
    assert [ids for _, ids, _, _ in out.lanes] == [["none", "early"]]


async def test_a_function_that_nobody_serves_is_not_asked() -> None:
    """The job would restart for ever: each request is answered instead, and counted nowhere."""
    state = await routed(route("1", function="nobody/there"))
    mail = Message("scurry.v1/Requests", requests("a", "b").SerializeToString())
    call = Call(ROUTER, "m", [mail], state)
    await Router(lambda: NOW, Bounds(functions=("example/*",))).serve([call], lambda _: None)
    result = call.response.invocation_result
    assert not result.outgoing_messages
    replies = Replies.FromString(result.outgoing_egresses[0].argument.value).replies
    assert {reply.id: reply.error for reply in replies} == {"a": "unavailable", "b": "unavailable"}


async def test_a_priority_below_0_is_refused_by_name() -> None:
    """It is not taken silently; others of the message go on."""
    mixed = Requests(requests=[Request(id="a"), Request(id="b", priority=-1), Request(id="c")])
    out = await serve(await routed(route("1")), mixed)
    assert out.errors == {"b": "bad_request"}
    assert "priority" in out.replies[0].message
    assert [ids for _, ids, _, _ in out.lanes] == [["a", "c"]]


async def test_what_is_replayed_is_not_refused_for_want_of_room() -> None:
    """It had room once, perhaps: it waits in the lanes' mail, beyond every bound, and so do the steps of its graph."""
    tight = route("1")
    tight.max_queue_size = 4
    state = (await serve(await routed(tight), many(4))).state
    again = requests(*(f"again{number}" for number in range(40)))
    again.replayed = True
    out = await serve(state, again)
    assert out.errors == {}
    assert sum(len(ids) for _, ids, _, _ in out.lanes) == 40
    sent = [request for to, _, value in out.sent if to == INFERENCE for request in value.requests]
    assert all(request.replayed for request in sent)
    step = Requests(requests=[Request(id="step", model="m", entry="s/1-0", run="a run", replayed=True)])
    assert (await serve(out.state, step)).errors == {}
    assert (await serve(out.state, requests("new"))).errors == {"new": "overloaded"}
