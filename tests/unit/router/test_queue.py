"""Those who wait for a route, in their order."""

from __future__ import annotations

from tests.unit.router.asking import NOW, requests, route, sent_by_router, serve

from scurry.router import queue
from scurry.router.policy import UNDECIDED, Hope, Refusal
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import Request, Requests, RouterState, Routes
from scurry.wire.names import INFERENCE

NOTHING = Refusal("model_not_ready", "nothing is ready", Hope.LOADING)


def test_turns() -> None:
    """Tickets are served one after the other; when nobody waits any more all are."""
    state, first, second = RouterState(held=2), Request(), Request()
    assert not queue.stands(state, [])
    queue.join(state, [first])
    queue.join(state, [second])
    assert (first.ticket, second.ticket) == (1, 2)
    assert queue.stands(state, [])
    assert queue.is_turn(state, 1)
    assert not queue.is_turn(state, 2)
    queue.serve(state, 1)
    assert queue.is_turn(state, 2)
    state.held = 0
    queue.serve(state, 1)
    assert not queue.stands(state, [])


def test_who_asks_for_a_version_of_that_name_holds_up_nobody() -> None:
    """Unless everybody waits."""
    assert queue.is_queued(Request(), NOTHING)
    assert not queue.is_queued(Request(version="7"), NOTHING)
    assert queue.is_queued(Request(version="7"), UNDECIDED)
    assert queue.stands(RouterState(), [(0, Request(), NOTHING)])
    assert not queue.stands(RouterState(), [(0, Request(), Refusal("bad_request", "no"))])


def steps(*ids: str) -> Requests:
    """Steps of one sequence."""
    body = InferRequest()
    body.parameters["sequence_id"].int_value = 7
    found = requests(*ids)
    for each in found.requests:
        each.body = body.SerializeToString()
    return found


async def test_steps_that_wait_are_not_overtaken() -> None:
    """By none that came later, whenever each of them is looked at again, and whenever the route comes."""
    first = await serve(None, steps("a"))
    second = await serve(first.state, steps("b"), now=NOW + 30)
    state = (await serve(second.state, Routes(epoch=1, versions=[route("1", sequences=True)]), now=NOW + 35)).state
    third = await serve(state, steps("c"), now=NOW + 36)
    assert [key for to, key, _ in third.sent if to == INFERENCE] == []
    waiting = [sent_by_router(out.delayed[0][2]) for out in (third, second, first)]
    state, order = third.state, []
    for _ in range(4):
        later = []
        for message in waiting:
            out = await serve(state, message, now=NOW + 60)
            state = out.state
            order += [request.id for to, _, value in out.sent if to == INFERENCE for request in value.requests]
            later += [sent_by_router(value) for _, _, value in out.delayed]
        waiting = later
    assert order == ["a", "b", "c"]
    assert RouterState.FromString(state or b"").held == 0
    out = await serve(state, steps("d"), now=NOW + 61)
    assert [key for to, key, _ in out.sent if to == INFERENCE] == ["m@1/seq/7"]


async def test_a_step_does_not_overtake_within_one_call() -> None:
    """Not even when the routes come between the two."""
    routes = Routes(epoch=1, versions=[route("1", sequences=True)])
    out = await serve(None, steps("a"), routes, steps("b"))
    assert [key for to, key, _ in out.sent if to == INFERENCE] == []
    assert [[request.id for request in value.requests] for _, _, value in out.delayed] == [["a", "b"]]
