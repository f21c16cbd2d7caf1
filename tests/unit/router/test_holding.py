"""Requests that wait for a route."""

from __future__ import annotations

from tests.unit.router.asking import NOW, Outcome, given_up, many, requests, route, routed, sent_by_router, serve

from scurry.router import policy
from scurry.router.holding import HELD
from scurry.wire.messages_pb2 import (
    ModelSpec,
    Promote,
    Register,
    Requests,
    RouterState,
    Routes,
    RoutesWanted,
    Update,
)
from scurry.wire.names import REGISTRY


def held(out: Outcome) -> list[tuple[int, list[str]]]:
    """(delay, ids) of what waits."""
    return [(delay, [request.id for request in value.requests]) for delay, _, value in out.delayed]


async def test_what_nobody_knows_waits_and_the_registry_is_asked() -> None:
    """Once, however many requests come meanwhile."""
    out = await serve(None, requests("a"), requests("b"))
    assert [(to, key, value) for to, key, value in out.sent] == [(REGISTRY, "m", RoutesWanted(model="m"))]
    assert held(out) == [(20, ["a", "b"])]
    assert RouterState.FromString(out.state or b"") == RouterState(held=2, asked=1, tickets=1)
    out = await serve(out.state, requests("c"), now=NOW + 5)
    assert out.sent == []
    assert held(out) == [(20, ["c"])]


async def test_they_go_their_way_when_the_routes_are_there() -> None:
    """Routes from the registry, be it for this question or for a registration, end the waiting."""
    waiting = await serve(None, requests("a", "b"))
    state = (await serve(waiting.state, Routes(epoch=5, versions=[route("1")], wanted=True))).state
    out = await serve(state, *(sent_by_router(value) for _, _, value in waiting.delayed), now=NOW + 20)
    assert [ids for _, ids, _, _ in out.lanes] == [["a", "b"]]
    state = RouterState.FromString(out.state or b"")
    assert (state.held, state.asked, state.versions[0].requests) == (0, 0, 2)


async def test_not_found_stands_after_a_moment_and_an_answer() -> None:
    """Neither alone is enough: a registration may be on its way, and so may the answer."""
    out = await serve(None, requests("a"))
    silent = await serve(out.state, sent_by_router(out.delayed[0][2]), now=NOW + policy.MOMENT_MS)
    assert silent.replies == []
    again = sent_by_router(out.delayed[0][2])
    told = await serve(out.state, Routes(wanted=True), again, now=NOW + policy.MOMENT_MS - 1)
    assert told.replies == []
    assert held(told) == [(1, ["a"])]
    out = await serve(told.state, sent_by_router(told.delayed[0][2]), now=NOW + policy.MOMENT_MS)
    assert out.errors == {"a": "model_not_found"}
    assert out.state is None


async def test_what_is_loading_waits_until_that_is_decided() -> None:
    """With a limit; what failed to load is refused after the moment that anything waits."""
    state = (await serve(None, Routes(epoch=1, pending=["1"]))).state
    out = await serve(state, requests("a"))
    assert out.sent == [], "the registry will tell by itself"
    later = await serve(out.state, sent_by_router(out.delayed[0][2]), now=NOW + 59_999)
    assert (later.replies, len(later.delayed)) == ([], 1)
    failed = await serve(
        later.state, Routes(epoch=2, failed=["1"]), sent_by_router(later.delayed[0][2]), now=NOW + 59_999
    )
    assert failed.errors == {"a": "model_not_ready"}
    assert (await given_up(later)).errors == {"a": "model_not_ready"}


async def test_a_version_that_is_loading_is_waited_for_beside_one_that_serves() -> None:
    """The others go their way."""
    out = await serve(await routed(route("1"), pending=["2"]), requests("a"), requests("b", version="2"))
    assert [ids for _, ids, _, _ in out.lanes] == [["a"]]
    assert held(out) == [(20, ["b"])]


async def test_a_deadline_ends_the_waiting() -> None:
    """The pause is no longer than the shortest deadline."""
    out = await serve(None, requests("a", deadline=NOW + 7), requests("b"))
    assert held(out) == [(7, ["a", "b"])]
    out = await serve(out.state, sent_by_router(out.delayed[0][2]), now=NOW + 7)
    assert out.errors == {"a": "deadline_exceeded"}
    assert held(out) == [(20, ["b"])]


async def test_only_so_many_wait() -> None:
    """The rest may try again; what waits already is not sent away for those that come, nor is bulk or a replay."""
    out = await serve(None, many(HELD + 3), requests("bulk", bulk=True))
    assert sorted(out.errors.values()) == ["overloaded"] * 3
    ((_, ids),) = held(out)
    assert len(ids) == HELD + 1
    again = await serve(out.state, sent_by_router(out.delayed[0][2]), now=NOW + 20)
    assert (again.errors, RouterState.FromString(again.state or b"").held) == ({}, HELD + 1)
    replayed = requests("replayed")
    replayed.replayed = True
    assert (await serve(out.state, replayed)).errors == {}


async def test_a_request_waits_from_its_first_day() -> None:
    """Those that came at different times keep their own."""
    first = await serve(None, requests("a"))
    out = await serve(first.state, sent_by_router(first.delayed[0][2]), requests("b"), now=NOW + 300)
    assert sorted(value.held_since for _, _, value in out.delayed) == [NOW, NOW + 300]
    assert sorted(held(out)) == [(20, ["b"]), (150, ["a"])]


async def test_what_was_held_is_forwarded_like_any_other() -> None:
    """Workers see nothing of the waiting."""
    waiting = await serve(None, requests("a", "b", key="k"))
    state = (await serve(waiting.state, Routes(epoch=5, versions=[route("1")]))).state
    out = await serve(state, sent_by_router(waiting.delayed[0][2]))
    (sent,) = (value for _, _, value in out.sent)
    assert isinstance(sent, Requests)
    assert (sent.held_since, sent.requests) == (0, requests("a", "b", key="k").requests)


def replayed(*ids: str, **fields: object) -> Requests:
    """Requests that a restored job reads again."""
    group = requests(*ids, **fields)
    group.replayed = True
    return group


PROMOTION = Update(model="m", id="u", promote=Promote(version="2"), replayed=True)


async def test_what_is_read_again_waits_for_the_registry_message_before_it() -> None:
    """It may have been sent after that message was answered; what stands before it does not wait."""
    state = await routed(route("1"), route("2", 0))
    out = await serve(state, replayed("before"), PROMOTION, replayed("behind"))
    assert [ids for _, ids, _, _ in out.lanes] == [["before"]]
    assert [(to, key) for to, key, value in out.sent if to == REGISTRY] == [(REGISTRY, "m")] * 2
    assert [type(value) for to, _, value in out.sent if to == REGISTRY] == [Update, RoutesWanted]
    assert held(out) == [(20, ["behind"])]
    early = await serve(out.state, Routes(epoch=20, versions=[route("1"), route("2", 0)]), replayed("next"))
    assert held(early) == [(20, ["next"])], "routes that do not answer the question may be older than the message"
    told = Routes(epoch=21, versions=[route("1", 0), route("2")], wanted=True)
    after = await serve(early.state, told, *(sent_by_router(each.delayed[0][2]) for each in (out, early)))
    assert sorted(request.id for _, _, value in after.sent for request in value.requests) == ["behind", "next"]
    assert {value.version for _, _, value in after.sent} == {"2"}


async def test_what_is_read_again_waits_for_a_version_that_is_being_loaded() -> None:
    """It was ready, perhaps, when the request was sent; what comes for the first time was sent even later."""
    state = await routed(route("1"), pending=["2"])
    out = await serve(state, replayed("again"))
    assert held(out) == [(20, ["again"])]
    fresh = await serve(out.state, requests("new"))
    assert (fresh.lanes, held(fresh)) == ([], [(20, ["new"])])
    ready = Routes(epoch=20, versions=[route("1", 0), route("2")])
    after = await serve(fresh.state, ready, *(sent_by_router(each.delayed[0][2]) for each in (out, fresh)))
    assert {value.version for _, _, value in after.sent} == {"2"}
    assert sorted(request.id for _, _, value in after.sent for request in value.requests) == ["again", "new"]


async def test_new_requests_wait_for_a_replacement_that_is_read_again() -> None:
    """Its caller was told that it is in force: who asks after that gets no answer of what it replaced."""
    state = await routed(route("1"))
    replacing = Update(model="m", id="u", register=Register(version="1"), replayed=True)
    out = await serve(state, replacing, requests("first"))
    loading = Routes(epoch=20, versions=[route("1")], pending=["1"], wanted=True)
    meanwhile = await serve(out.state, loading, requests("second"))
    assert (out.lanes, meanwhile.lanes) == ([], [])
    done = Routes(epoch=21, versions=[route("1", spec=ModelSpec(generation=2))])
    after = await serve(meanwhile.state, done, *(sent_by_router(each.delayed[0][2]) for each in (out, meanwhile)))
    assert sorted(request for _, ids, _, _ in after.lanes for request in ids) == ["first", "second"]
    assert {value.spec.generation for _, _, value in after.sent if isinstance(value, Requests)} == {2}


async def test_new_requests_do_not_wait_for_ever_either() -> None:
    """A version that hangs while it is loaded keeps nobody longer than the limit after the restart."""
    state = await routed(route("1"), pending=["2"])
    out = await serve(state, replayed("again"))
    assert held(await serve(out.state, requests("new"), now=NOW + 59_999)) == [(20, ["new"])]
    later = await serve(out.state, requests("new"), now=NOW + 60_000)
    assert [ids for _, ids, _, _ in later.lanes] == [["new"]]


async def test_once_that_is_decided_nobody_waits_for_what_is_loaded_next() -> None:
    """A registration that is new keeps no request of the versions that serve."""
    state = await routed(route("1"))
    out = await serve(state, PROMOTION, Routes(epoch=20, versions=[route("1")], wanted=True))
    assert not RouterState.FromString(out.state or b"").reread_until
    loading = await serve(out.state, Routes(epoch=21, versions=[route("1")], pending=["2"]), requests("new"))
    assert [ids for _, ids, _, _ in loading.lanes] == [["new"]]


async def test_what_is_read_again_does_not_wait_for_ever() -> None:
    """After the limit it goes where the routes say; an overdue one is answered at its deadline."""
    state = await routed(route("1"), pending=["2"])
    out = await serve(state, replayed("a"), replayed("late", deadline=NOW + 30))
    due = await serve(out.state, sent_by_router(out.delayed[0][2]), now=NOW + 30)
    assert due.errors == {"late": "deadline_exceeded"}
    late = await serve(due.state, sent_by_router(due.delayed[0][2]), now=NOW + 60_000)
    assert [ids for _, ids, _, _ in late.lanes] == [["a"]]
    assert RouterState.FromString(late.state or b"").held == 0
