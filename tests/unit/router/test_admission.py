"""What a request is held to before it goes to a lane."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.router.asking import NOW, Outcome, requests, route, routed, serve

from scurry.router.admission import Admission, level_of, stamp_of
from scurry.wire.messages_pb2 import Request, Requests, RouterState, Routes, TenantLimit, VersionRoute

STAMP = NOW - 100


def rules(max_us: int = 0, **fields: Any) -> Admission:
    """Those of a version."""
    found = Admission.of(VersionRoute(version="1", **fields), Routes(max_timeout_microseconds=max_us))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("default", "most", "asked", "given"),
    [
        (0, 2_000_000, 0, STAMP + 2_000),
        (2_000_000, 0, 0, STAMP + 2_000),
        (2_000_000, 0, STAMP + 9_000, STAMP + 9_000),
        (1_000_000, 2_000_000, 0, STAMP + 1_000),
        (3_000_000, 2_000_000, 0, STAMP + 2_000),
        (1_000_000, 2_000_000, STAMP + 1_500, STAMP + 1_500),
        (1_000_000, 2_000_000, STAMP + 9_000, STAMP + 2_000),
        (1, 0, 0, STAMP + 1),
    ],
)
def test_the_deadline_of_a_request(default: int, most: int, asked: int, given: int) -> None:
    """Its own or the default one, never later than the latest; the same again when it is asked twice. Bulk is free."""
    admission = rules(most, default_timeout_microseconds=default)
    assert admission.deadline(Request(deadline=asked), STAMP) == given
    assert admission.deadline(Request(deadline=given), STAMP) == given
    assert admission.deadline(Request(deadline=asked, bulk=True), STAMP) == asked


@pytest.mark.parametrize(
    ("entry", "stamp"),
    [
        ("scurry:requests/1700000000000-5", 1_700_000_000_000),
        ("scurry:requests:3/7-0", 7),
        ("", NOW),
        ("s/a-0", NOW),
        ("s/" + "9" * 16 + "-0", NOW),
        ("s/-5-0", NOW),
        ("s/٣-0", 3),
    ],
)
def test_the_stamp_is_that_of_redis(entry: str, stamp: int) -> None:
    """A request that no Redis stamped counts from now."""
    assert stamp_of(entry, NOW) == stamp


def test_levels() -> None:
    """1 is the highest; 0, and what is no level, is the default; bulk comes last. Without levels only bulk waits."""
    three = rules(priority_levels=3, default_priority_level=2)
    levels = [level_of(Request(priority=priority), three) for priority in (0, 1, 2, 3, 4, 2**31 - 1)]
    assert levels == [1, 0, 1, 2, 1, 1]
    assert level_of(Request(priority=1, bulk=True), three) == 3
    assert [level_of(Request(priority=9), None), level_of(Request(bulk=True), None)] == [0, 1]
    assert level_of(Request(bulk=True), rules(1)) == 1


def test_without_rules_nothing_is_looked_at() -> None:
    """Who uses none of it pays nothing."""
    assert Admission.of(VersionRoute(version="1", max_queue_size=3, lanes=2), Routes(epoch=1)) is None


async def test_requests_leave_with_their_deadline() -> None:
    """The worker and the watch go by it; what is overdue by then is answered."""
    state = await routed(route("1", default_timeout_microseconds=2_000_000))
    old, new = Request(id="old", entry=f"s/{NOW - 2_000}-0"), Request(id="new", entry=f"s/{NOW - 500}-0")
    out = await serve(state, Requests(requests=[old, new], plain=True))
    assert out.errors == {"old": "deadline_exceeded"}
    ((_, _, sent),) = out.sent
    assert [(request.id, request.deadline) for request in sent.requests] == [("new", NOW + 1_500)]
    assert out.delayed


async def test_each_level_has_lanes_of_its_own() -> None:
    """Sixteen for each; a pile of one level leaves the others' lanes empty."""
    state = await routed(route("1", priority_levels=2, default_priority_level=2))
    mixed = Requests(requests=[Request(id=f"r{n}", priority=n % 3, bulk=n == 9) for n in range(10)])
    out = await serve(state, mixed)
    ways = {key: ids for key, ids, _, _ in out.lanes}
    assert ways == {"m@1/0": ["r1", "r4", "r7"], "m@1/16": ["r0", "r2", "r3", "r5", "r6", "r8"], "m@1/32": ["r9"]}


def limited(*tenants: str, rate: float = 0.5, burst: float = 2) -> dict[str, TenantLimit]:
    """The same limit for some."""
    return {tenant: TenantLimit(rate=rate, burst=burst) for tenant in tenants}


async def ask(state: bytes | None, *ids: str, at: int = NOW, **fields: Any) -> Outcome:
    """Requests stamped then."""
    asked = [Request(id=name, entry=f"s/{at}-0", **fields) for name in ids]
    return await serve(state, Requests(requests=asked, plain=True), now=at)


async def test_a_tenant_has_its_tokens_in_the_state() -> None:
    """They outlive a call and a change of the routes, and go with the tenant's limit."""
    state = await routed(route("1"), tenants=limited("a", "b"))
    out = await ask(state, "1", "2", "3", tenant="a")
    assert out.errors == {"3": "rate_limited"}
    assert [ids for _, ids, _, _ in out.lanes] == [["1", "2"]]
    again = await serve(out.state, Routes(epoch=9, versions=[route("1"), route("2")], tenants=limited("a")))
    assert (await ask(again.state, "4", tenant="a", at=NOW + 1_000)).errors == {"4": "rate_limited"}
    assert (await ask(again.state, "4", tenant="a", at=NOW + 2_000)).errors == {}
    assert (await ask(again.state, "5", tenant="b")).errors == {}
    gone = await serve(again.state, Routes(epoch=10, versions=[route("1")]))
    assert not RouterState.FromString(gone.state or b"").tenants
    assert (await ask(gone.state, *"6789", tenant="a")).errors == {}


async def test_a_token_that_is_taken_is_kept_whatever_becomes_of_the_request() -> None:
    """Refused for want of room it has used it; what is late has not asked for one."""
    spec = {"max_queue_size": 1}
    state = (await serve(await routed(route("1", **spec), tenants=limited("a")), requests("first"))).state
    late = await ask(state, "late", tenant="a", deadline=NOW - 1)
    assert late.errors == {"late": "deadline_exceeded"}
    full = await ask(late.state, "1", "2", "3", tenant="a")
    assert full.errors == {"1": "overloaded", "2": "overloaded", "3": "rate_limited"}
    assert full.kept
    gone = await serve(None, Routes(epoch=5, versions=[route("1", function="nobody/there")], tenants=limited("a")))
    out = await ask(gone.state, "1", tenant="a")
    assert RouterState.FromString(out.state or b"").tenants


async def test_a_request_takes_one_token_however_often_it_is_sent() -> None:
    """It comes back from a lost worker, or finds no version of its own any more."""
    state = await routed(route("1"), tenants=limited("a", burst=1))
    out = await ask(state, "1", tenant="a")
    back = Request(id="1", entry=f"s/{NOW}-0", tenant="a", attempt=1)
    again = await serve(out.state, Requests(requests=[back]), now=NOW)
    assert again.errors == {}
    assert (await ask(again.state, "2", tenant="a")).errors == {"2": "rate_limited"}


async def test_a_replay_comes_to_the_same() -> None:
    """Whenever it is: decisions go by the stamps, and the state is what it was."""
    state = await routed(route("1"), tenants=limited("a", burst=3), max_timeout_microseconds=60_000_000)
    asked = Requests(requests=[Request(id=str(n), entry=f"s/{NOW + 400 * n}-0", tenant="a") for n in range(9)])
    first = await serve(state, asked, now=NOW + 4_000)
    second = await serve(state, asked, now=NOW + 50_000)
    assert first.errors == second.errors != {}
    assert [one.requests for _, _, one in first.sent] == [one.requests for _, _, one in second.sent]
    tokens = [dict(RouterState.FromString(out.state or b"").tenants) for out in (first, second)]
    assert tokens[0] == tokens[1]


async def test_state_stays_small() -> None:
    """Sixty-four tenants and sixteen levels in use take a few KB."""
    names = [f"tenant-{number:04}" for number in range(64)]
    state = await routed(route("1", priority_levels=16, default_priority_level=16), tenants=limited(*names))
    asked = [Request(id=str(n), tenant=name, priority=n % 17) for n, name in enumerate(names)]
    out = await serve(state, Requests(requests=[*asked, *requests("bulk", bulk=True).requests]))
    assert len(out.lanes) == 17
    assert len(out.state or b"") < 5_000
