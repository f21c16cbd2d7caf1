"""Requests that find no route wait a while before they are refused.

A registration and the requests behind it travel by different ways, and after a restore both come again. So the registry
is asked; what is unknown waits for its answer and a moment longer, what is loading waits until that is decided. What
waits lies in delayed messages of the router to itself, not in its state.

What a restored job reads again may have been sent after a registry message before it was answered. So that the answer
stays true, such a message comes by way of the router, and the requests behind it, read again or for the first time,
wait until the registry has decided.
"""

from __future__ import annotations

from typing import Final

from scurry.endpoint.call import Message
from scurry.router import policy, queue
from scurry.router.policy import BEHIND, UNDECIDED, Hope, Refusal
from scurry.router.refusing import refuse
from scurry.router.routes import reread
from scurry.router.routing_pass import RoutingPass
from scurry.router.sending import REQUESTS
from scurry.wire.messages_pb2 import Request, Requests, RoutesWanted, Update
from scurry.wire.names import REGISTRY, ROUTER, TYPE_PREFIX

HELD: Final = 1024
"""Requests of one model that may wait for a route; what is read again, and may have been answered, waits besides."""
TURN_MS: Final = 5
"""Whose pause is over before their turn look again after this."""


def settle(routing: RoutingPass) -> None:
    """Hold or refuse the requests of this pass that found no route."""
    if not routing.unrouted:
        return
    _ask(routing)
    waiting: dict[tuple[int, bool, int, bool], list[Request]] = {}
    room = HELD - routing.table.held
    for since, request, refusal in routing.unrouted:
        waited = routing.now - since if since else 0
        if not policy.may_wait(refusal.hope, waited, routing.bounds.hold_ms, unanswered=routing.table.asked):
            refuse(routing, "", request, refusal)
        elif room <= 0 and not (since or request.bulk or request.replayed or refusal in {UNDECIDED, BEHIND}):
            full = Refusal("overloaded", f"{HELD} requests wait for this model already.")
            refuse(routing, "", request, full)
        else:
            room -= 1
            queued = queue.is_queued(request, refusal)
            key = since or routing.now, refusal is UNDECIDED, request.ticket, queued
            waiting.setdefault(key, []).append(request)
    before = {request.ticket for _, request, _ in routing.unrouted}
    routing.unrouted.clear()
    for (since, replayed, ticket, queued), requests in waiting.items():
        if queued and not ticket:
            queue.join(routing.table.state, requests)
        _wait(routing, Requests(requests=requests, held_since=since, replayed=replayed))
    for ticket in sorted(before - {ticket for _, _, ticket, _ in waiting} - {0}):
        queue.serve(routing.table.state, ticket)


def _ask(routing: RoutingPass) -> None:
    """Ask the registry about what is new here; what it is loading it will tell of by itself."""
    new = any(refusal.hope is Hope.MOMENT and not since for since, _, refusal in routing.unrouted)
    if new and not routing.table.asked:
        _want_routes(routing)


def _want_routes(routing: RoutingPass) -> None:
    wanted = RoutesWanted(model=routing.model, epoch=routing.table.epoch)
    routing.call.send(REGISTRY, routing.model, f"{TYPE_PREFIX}RoutesWanted", wanted.SerializeToString())
    routing.table.ask()


def forward(routing: RoutingPass, message: Message) -> None:
    """A registry message that is read again goes on to the registry, and what becomes of it is waited for."""
    Update.FromString(message.value)  # what cannot be read is put aside here
    routing.call.send(REGISTRY, routing.model, message.typename, message.value)
    _want_routes(routing)
    reread(routing.table, routing.now + routing.bounds.hold_ms)


def _wait(routing: RoutingPass, again: Requests) -> None:
    """Look at them again after a pause, or when the next deadline among them passes."""
    pause = policy.hold_pause_ms(routing.now - again.held_since)
    left = [request.deadline - routing.now for request in again.requests if request.deadline > routing.now]
    routing.call.send_after(min([pause, *left]), ROUTER, routing.model, REQUESTS, again.SerializeToString())
    routing.table.hold(len(again.requests))


def resume(routing: RoutingPass, again: Requests) -> None:
    """The pause is over: route them as if they had just come, if it is their turn."""
    requests, state = again.requests, routing.table.state
    ticket = requests[0].ticket if requests else 0
    patient = routing.now - again.held_since < 2 * routing.bounds.hold_ms  # whoever is before them is gone by then
    if ticket and routing.table.sequences and patient and not queue.is_turn(state, ticket):
        routing.call.send_after(TURN_MS, ROUTER, routing.model, REQUESTS, again.SerializeToString())
        return
    routing.table.hold(-len(requests))
    for request in requests:
        request.ClearField("ticket")
    waiting = len(routing.unrouted)
    raw = Requests(requests=requests).SerializeToString()
    routing.dispatch(requests, raw, again.held_since, replayed=again.replayed)
    for _, request, _ in routing.unrouted[waiting:]:
        request.ticket = ticket
    if ticket and len(routing.unrouted) == waiting:
        queue.serve(routing.table.state, ticket)
