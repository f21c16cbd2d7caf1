"""Requests that find no route wait a while before they are refused.

A registration and the requests behind it travel by different ways, and after a restore both come again. So the registry
is asked; what is unknown waits for its answer and a moment longer, what is loading waits until that is decided. What
waits lies in delayed messages of the router to itself, not in its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scurry.router import policy
from scurry.router.policy import Hope, Refusal
from scurry.router.routing_pass import RoutingPass
from scurry.router.sending import REQUESTS
from scurry.wire.messages_pb2 import Request, Requests, RoutesWanted
from scurry.wire.names import REGISTRY, ROUTER, TYPE_PREFIX

HELD: Final = 1024
"""Requests of one model that may wait for a route."""


def settle(routing: RoutingPass) -> None:
    """Hold or refuse the requests of this pass that found no route."""
    if not routing.unrouted:
        return
    _ask(routing)
    waiting: dict[int, list[Request]] = {}
    room = HELD - routing.table.held
    for since, request, refusal in routing.unrouted:
        waited = routing.now - since if since else 0
        if not policy.may_wait(refusal.hope, waited, routing.bounds.hold_ms, unanswered=routing.table.asked):
            routing.answers.refuse(request, refusal)
        elif room <= 0 and not since and not request.bulk:
            routing.answers.refuse(request, Refusal("overloaded", f"{HELD} requests wait for this model already."))
        else:
            room -= 1
            waiting.setdefault(since or routing.now, []).append(request)
    routing.unrouted.clear()
    for since, requests in waiting.items():
        _wait(routing, since, requests)


def _ask(routing: RoutingPass) -> None:
    """Ask the registry about what is new here; what it is loading it will tell of by itself."""
    new = any(refusal.hope is Hope.MOMENT and not since for since, _, refusal in routing.unrouted)
    if new and not routing.table.asked:
        wanted = RoutesWanted(model=routing.model, epoch=routing.table.epoch)
        routing.call.send(REGISTRY, routing.model, f"{TYPE_PREFIX}RoutesWanted", wanted.SerializeToString())
        routing.table.ask()


def _wait(routing: RoutingPass, since: int, requests: Sequence[Request]) -> None:
    """Look at them again after a pause, or when the first deadline among them passes."""
    pause = policy.hold_pause_ms(routing.now - since)
    left = [request.deadline - routing.now for request in requests if request.deadline > 0]
    again = Requests(requests=requests, held_since=since)
    routing.call.send_after(min([pause, *left]), ROUTER, routing.model, REQUESTS, again.SerializeToString())
    routing.table.hold(len(requests))


def resume(routing: RoutingPass, again: Requests) -> None:
    """The pause is over: route them as if they had just come."""
    routing.table.hold(-len(again.requests))
    requests = again.requests
    routing.dispatch(requests, Requests(requests=requests).SerializeToString(), again.held_since)
