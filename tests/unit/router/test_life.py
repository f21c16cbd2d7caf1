"""Whatever happens, in whatever order: nothing is lost, nothing is counted twice."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.router.world import World

from scurry.endpoint.call import Message
from scurry.router.counting import TELL
from scurry.wire.messages_pb2 import Routes
from scurry.wire.names import ROUTER

ACTS = ["ask", "ask", "work", "work", "work", "lose", "change", "wait"]


async def live(acts: int, seed: int) -> World:
    """A life of so many acts, and its quiet end. Chance makes longer ones than hypothesis' lists are."""
    world = World(Random(seed))
    await world.change()
    for _ in range(acts):
        act = world.chance.choice(ACTS)
        if act == "wait":
            await world.wait(world.chance.choice([1, 300, 1_200, 9_000, 70_000]))
        else:
            await getattr(world, act)()
    await world.settle()
    await world.retire()
    return world


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 2**32))
async def test_every_request_is_answered_and_every_count_returns(acts: int, seed: int) -> None:
    """Requests, reports, losses, switches, deadlines and time in any order.

    A second answer is allowed only where a deadline passed: nobody can know then whether the first one is on its way.
    """
    world = await live(acts, seed)
    assert set(world.answers) == set(world.asked)
    for name, request in world.asked.items():
        assert world.answers[name] == 1 or request.deadline, name
    state = world.counters
    assert state.held == 0
    for counters in state.versions:
        assert list(counters.sent) == list(counters.done), counters
        assert counters.away == 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 30), st.integers(0, 2**32))
async def test_a_replay_makes_the_same_choices(acts: int, seed: int) -> None:
    """The same events lead to the same state and the same answers."""
    first, second = await live(acts, seed), await live(acts, seed)
    assert (first.state, first.codes) == (second.state, second.codes)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 2**32))
async def test_counts_add_up_to_the_requests(acts: int, seed: int) -> None:
    """While versions stay, each request routed is counted in the end exactly once, whatever was lost or came late."""
    world = World(Random(seed))
    for version in ("1", "2"):
        world.generations[version] = 1
    world.epoch = 1
    routes = Routes(epoch=1, aliases={"latest": "2"})
    for version in ("1", "2"):
        world._place(routes, version, "ready")
    await world.tell(routes)
    for _ in range(acts):
        act = world.chance.choice([act for act in ACTS if act != "change"])
        await (world.wait(world.chance.choice([1, 300, 9_000, 70_000])) if act == "wait" else getattr(world, act)())
    await world.settle()
    await world.tell(Message(TELL, b"", (ROUTER, "m")))  # what a lane has not said is asked for
    await world.settle()
    await world.retire()
    assert not world.unreported
    heard = [each.statistics.primary for told in world.told for each in told.versions]
    untold = sum(each.requests + each.refused for each in world.counters.versions)
    routed = untold + sum(each.requests for each in heard)
    left = [each.untold.primary for each in world.counters.versions]
    answered = sum(each.ok + sum(each.errors.values()) for each in (*heard, *left))
    refused = sum(each.refused for each in (*heard, *world.counters.versions))
    assert routed == answered + refused
    unrouted = [world.counters.unrouted, *(told.unrouted for told in world.told)]
    assert routed + sum(sum(each.values()) for each in unrouted) == len(world.asked)
