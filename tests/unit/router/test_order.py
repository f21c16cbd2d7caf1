"""Steps of a sequence keep their order when the routes change between them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.router.asking import NOW, Outcome, many, requests, route, routed, sent_by_router, serve
from tests.unit.router.test_sequences import back
from tests.unit.router.test_steps import sent, step

from scurry.router import order
from scurry.router.holding import HELD
from scurry.wire.messages_pb2 import Done, Requests, Routes
from scurry.wire.sequences import STEPS


def to(one: int, two: int, epoch: int = 6, **fields: Any) -> Routes:
    """Routes with these shares for versions 1 and 2, both of which keep sequences."""
    return Routes(epoch=epoch, versions=[route("1", one, sequences=True), route("2", two, sequences=True)], **fields)


async def begun() -> Outcome:
    """A step of a sequence that version 2 has begun, sent to version 1."""
    state = await routed(*to(1, 0).versions)
    out = await serve(state, step("first"))
    assert sent(out) == [("m@1/seq/7", "first")]
    return out


async def look(out: Outcome, now: int, *more: Any) -> Outcome:
    """What waits comes back to the router."""
    return await serve(out.state, *more, *(sent_by_router(value) for _, _, value in out.delayed), now=now)


async def test_a_step_does_not_overtake_one_that_looks_for_its_sequence() -> None:
    """The first is told the other version after the second had come, which went there at once."""
    first = await begun()
    out = await serve(first.state, to(0, 1), step("second"))
    assert sent(out) == []
    waiting = await serve(out.state, back(first, missed=True))
    assert sent(waiting) == [("m@2/seq/7", "first")]
    second = await look(out, NOW + 20)
    assert (sent(second), second.errors) == ([], {}), "the first is on its way still"
    done = await serve(waiting.state, Done(version="2", lane=STEPS, requests=1))
    second = await serve(done.state, *(sent_by_router(value) for _, _, value in out.delayed), now=NOW + 40)
    assert sent(second) == [("m@2/seq/7", "second")]
    assert sent(await serve(second.state, step("third"), now=NOW + 41)) == [("m@2/seq/7", "third")]


async def test_those_who_wait_go_in_their_order() -> None:
    """Whoever comes back first, and whoever comes when nobody is on his way any more."""
    first = await begun()
    out = await serve(first.state, to(0, 1), step("second"))
    third = await serve(out.state, step("third"), now=NOW + 1)
    done = await serve(third.state, Done(version="1", lane=STEPS, requests=1), step("fourth"), now=NOW + 2)
    assert sent(done) == []
    early = await look(Outcome([], third.delayed, [], [], done.state, True), NOW + 21)
    assert sent(early) == []
    second = await look(Outcome([], out.delayed, [], [], early.state, True), NOW + 22)
    assert sent(second) == [("m@2/seq/7", "second")]
    later = await look(Outcome([], early.delayed, [], [], second.state, True), NOW + 26)
    assert sent(later) == [("m@2/seq/7", "third")]


async def test_it_waits_no_longer_than_what_waits_for_a_version() -> None:
    """A worker that does not come back holds up nobody for ever; the step is not refused for it."""
    out = await serve((await begun()).state, to(0, 1), step("second"))
    late = await look(out, NOW + 60_000)
    assert sent(late) == [("m@2/seq/7", "second")]
    assert sent(await serve(late.state, step("third"), now=NOW + 60_001)) == [("m@2/seq/7", "third")]


async def test_a_step_that_is_late_waits_like_any_other() -> None:
    """It is computed all the same: its deadline is none for the pause, which is never below nothing."""
    out = await serve((await begun()).state, to(0, 1), step("late", deadline=NOW - 5), step("soon", deadline=NOW + 7))
    assert [(delay, [each.id for each in value.requests]) for delay, _, value in out.delayed] == [(7, ["late", "soon"])]
    later = await look(out, NOW + 30)
    assert (later.errors, [delay for delay, _, _ in later.delayed]) == ({}, [20])


async def test_there_is_room_for_all_who_wait_so() -> None:
    """What is read again was answered: refused, its sequence would lack it."""
    out = await serve((await begun()).state, to(0, 1))
    crowd = Requests(requests=[each for n in range(HELD + 10) for each in step(f"r{n}", n).requests], replayed=True)
    out = await serve(out.state, crowd)
    assert out.errors == {}
    assert sum(len(value.requests) for _, _, value in out.delayed) == HELD + 10
    more = await serve(out.state, Done(version="1", lane=STEPS, requests=1), Requests(
        requests=step("again").requests, replayed=True
    ))  # fmt: skip
    assert (more.errors, sent(more)) == ({}, [])


@pytest.mark.parametrize(
    "routes", [to(1, 0), to(1, 0, shadow={"version": "2", "percent": 5}), to(1, 0, pending=["3"], failed=["4"])]
)
async def test_news_that_change_no_way_hold_up_nobody(routes: Routes) -> None:
    """A version that is being loaded, a shadow."""
    assert sent(await serve((await begun()).state, routes, step("second"))) == [("m@1/seq/7", "second")]


async def test_without_steps_on_their_way_nobody_waits() -> None:
    """Nor where the model keeps no sequences."""
    state = await routed(*to(1, 0).versions)
    assert sent(await serve(state, to(0, 1), step("second"))) == [("m@2/seq/7", "second")]
    plain = await serve(await routed(route("1")), many(3))
    out = await serve(plain.state, Routes(epoch=6, versions=[route("1", 0), route("2")]), requests("next"))
    assert out.lanes[0][1] == ["next"]


def test_a_way_is_told_by_versions_shares_names_and_the_experiment() -> None:
    """A change of any of them may lead a step elsewhere."""
    base = order.ways(to(1, 1))
    drains = Routes(versions=[route("1", sequences=True, draining=True), route("2", sequences=True)])
    changed = [to(1, 2), to(1, 1, aliases={"a": "1"}), to(1, 1, experiment=2), drains, Routes()]
    assert all(order.ways(routes) != base for routes in changed)
    assert order.ways(to(1, 1, 7)) == base
