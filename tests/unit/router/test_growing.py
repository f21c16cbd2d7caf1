"""Lanes that a version asks for while requests pile up, and gives back."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.router.asking import NOW, SPEC, Outcome, many, requests, route, routed, sent_by_router, serve

from scurry.router.growing import LOOK_MS, is_crowded, is_spare
from scurry.wire.messages_pb2 import Done, LanesLook, LanesWanted, RouterState, Routes
from scurry.wire.names import REGISTRY

EPOCHS = itertools.count(6)


def wanted(out: Outcome) -> list[int]:
    """The lanes that the registry was asked for."""
    return [value.lanes for to, _, value in out.sent if to == REGISTRY and isinstance(value, LanesWanted)]


def looks(out: Outcome) -> list[int]:
    """When it will look again."""
    return [delay for delay, _, value in out.delayed if isinstance(value, LanesLook)]


def granted(lanes: int, most: int = 4) -> Routes:
    """The registry's answer."""
    return Routes(epoch=next(EPOCHS), versions=[route("1", lanes=lanes, most_lanes=most)])


async def look(state: bytes | None) -> Outcome:
    """The time has come."""
    return await serve(state, sent_by_router(LanesLook(version="1")))


async def finished(out: Outcome) -> bytes | None:
    """All lanes report."""
    state = RouterState.FromString(out.state or b"")
    reports = [Done(version="1", lane=n, sequence=sent) for n, sent in enumerate(state.versions[0].sent)]
    return (await serve(out.state, *reports)).state


@given(st.integers(1, 16), st.integers(1, 100), st.integers(0, 10_000))
def test_between_too_few_and_too_many_nothing_changes(lanes: int, call: int, outstanding: int) -> None:
    """The lane that came by a backlog is not given back for that very backlog, nor asked for when it is given back."""
    assert not (is_crowded(outstanding, lanes, call) and is_spare(outstanding, lanes + 1, call))
    assert not (is_spare(outstanding, lanes, call) and is_crowded(outstanding, lanes - 1, call))
    assert not is_spare(0, 1, call)


async def test_a_backlog_asks_for_one_lane_at_a_time() -> None:
    """Once, until it is there; and no more than it may."""
    state = await routed(route("1", lanes=1, most_lanes=3))
    out = await serve(state, many(64))
    assert (wanted(out), looks(out)) == ([], [])
    out = await serve(out.state, requests("a"))
    assert (wanted(out), looks(out)) == ([2], [LOOK_MS])
    out = await serve(out.state, requests("b"))
    assert (wanted(out), looks(out)) == ([], [])
    assert {key for key, ids, _, _ in out.lanes if ids} == {"m@1/0"}
    out = await serve((await serve(out.state, granted(2, 3))).state, many(64))
    assert (wanted(out), looks(out)) == ([3], [])
    assert {key for key, *_ in out.lanes} == {"m@1/1"}
    out = await serve((await serve(out.state, granted(3, 3))).state, many(200))
    assert wanted(out) == []
    assert {key for key, ids, *_ in out.lanes if ids} <= {"m@1/0", "m@1/1", "m@1/2"}


async def test_without_a_range_nothing_is_asked() -> None:
    """Neither by default nor with a fixed number, which further lanes do not overflow from."""
    out = await serve(await routed(route("1")), many(2_000))
    assert (wanted(out), looks(out), len(out.lanes)) == ([], [], 16)
    out = await serve(await routed(route("1", lanes=3, most_lanes=3)), many(2_000))
    assert (wanted(out), looks(out)) == ([], [])
    assert {key for key, ids, *_ in out.lanes if ids} == {"m@1/0", "m@1/1", "m@1/2"}
    assert set(out.errors.values()) == {"overloaded"}


async def test_what_is_not_needed_is_given_back() -> None:
    """One at each look, until the registry leaves it what there is; then it looks no more."""
    crowded = await serve((await routed(route("1", lanes=2, most_lanes=4))), many(200))
    assert wanted(crowded) == [3]
    out = await serve(await finished(crowded), granted(3))
    out = await look(out.state)
    assert (wanted(out), looks(out)) == ([], [LOOK_MS]), "it was needed since the last look"
    out = await look(out.state)
    assert (wanted(out), looks(out)) == ([2], [LOOK_MS])
    out = await look((await serve(out.state, granted(2))).state)
    assert (wanted(out), looks(out)) == ([1], [LOOK_MS])
    out = await look(out.state)
    assert (wanted(out), looks(out)) == ([], []), "the registry keeps two"
    again = await serve(out.state, many(200))
    assert (wanted(again), looks(again)) == ([3], [LOOK_MS])


async def test_what_did_not_come_is_asked_for_again() -> None:
    """A load may have failed. Not when there may be no more, nor when it is not needed any more."""
    out = await serve(await routed(route("1", lanes=1, most_lanes=4)), many(100))
    assert wanted(out) == [2]
    assert wanted(await look(out.state)) == [2]
    fixed = await look((await serve(out.state, granted(1, 1))).state)
    assert (wanted(fixed), looks(fixed)) == ([], [LOOK_MS])
    assert wanted(await serve(fixed.state, granted(1, 2))) == [2]
    calm = await look((await look(await finished(out))).state)
    assert wanted(calm) == []


@pytest.mark.parametrize("routes", [Routes(epoch=9), Routes(epoch=9, versions=[route("1")])])
async def test_a_look_at_what_is_gone_ends(routes: Routes) -> None:
    """The version went, or its range."""
    out = await serve(await routed(route("1", lanes=1, most_lanes=4)), many(100))
    out = await look((await serve(out.state, routes)).state)
    assert (wanted(out), looks(out)) == ([], [])


async def test_a_lane_that_leaves_finishes_what_it_has() -> None:
    """It gets nothing more, and is forgotten when it is idle."""
    out = await serve(await routed(route("1", lanes=3, most_lanes=3)), many(90))
    assert {key for key, *_ in out.lanes} == {"m@1/0", "m@1/1", "m@1/2"}
    out = await serve((await serve(out.state, granted(1, 3))).state, many(50))
    assert {key for key, *_ in out.lanes} == {"m@1/0"}
    state = RouterState.FromString(await finished(out) or b"")
    assert list(state.versions[0].sent) == list(state.versions[0].done)
    assert len(state.versions[0].sent) == 2


async def test_slow_models_have_smaller_calls() -> None:
    """One that takes a row at a time is crowded sooner."""
    spec: Any = {"spec": type(SPEC)(generation=3, max_batch_size=1)}
    state = await routed(route("1", lanes=1, most_lanes=2, **spec))
    state = (await serve(state, Done(version="1", lane=1, busy_micros=50_000, requests=1))).state
    assert [wanted(await serve(state, many(count), now=NOW)) for count in (2, 3)] == [[], [2]]
