"""Requests that come back from lost workers."""

from __future__ import annotations

from scurry.router import policy
from scurry.router.answers import LATE
from scurry.router.policy import Refusal
from scurry.router.routing_pass import REQUESTS, RoutingPass
from scurry.wire.addresses import Lane, Solo, parse
from scurry.wire.messages_pb2 import Bounced, Request, Requests
from scurry.wire.names import INFERENCE, ROUTER


def bounce(routing: RoutingPass, bounced: Bounced, lost: Requests) -> None:
    """Send lost requests again after a pause: each alone if one of them may be to blame, else together.

    Only a request that was sent apart from others is charged, and less if its worker was busy with something else.
    """
    address = parse(bounced.address)
    version = address.version if address else lost.version
    if isinstance(address, Lane):
        routing.table.finish(version, address.lane, lost.sequence)
    routing.bounced += len(lost.requests)
    charge = policy.charge(executing=bounced.executing, solo=lost.solo, alone=bounced.alone)
    again: list[Request] = []
    for request in lost.requests:
        request.attempt += 1
        request.blame += charge
        why = policy.given_up(request.attempt, request.blame)
        if routing.late(request):
            routing.answers.refuse(request, LATE)
        elif why:
            routing.answers.bury(request, version, Refusal("worker_lost", f"{why} {bounced.cause}".rstrip()))
        else:
            again.append(request)
    solo = bounced.executing or lost.solo
    for group in [[request] for request in again] if solo else [again]:
        _send_later(routing, Requests(requests=group, spec=lost.spec, version=version, solo=solo))


def _send_later(routing: RoutingPass, again: Requests) -> None:
    if again.requests:
        first = again.requests[0]
        delay = policy.backoff_ms(first.attempt)
        if again.solo:
            delay += policy.stagger_ms(first.entry or first.id, first.attempt, routing.bounced)
        routing.call.send_after(delay, ROUTER, routing.model, REQUESTS, again.SerializeToString())


def resend(routing: RoutingPass, again: Requests) -> None:
    """The pause is over. The version stays the one chosen first, even if it drains or has gone meanwhile."""
    fresh: list[Request] = []
    for request in again.requests:
        if routing.late(request):
            routing.answers.refuse(request, LATE)
        else:
            fresh.append(request)
    if not fresh:
        return
    lanes = routing.table.lanes(again.version)
    if lanes is not None and not again.solo:
        routing.send(lanes, lanes.emptiest, fresh)
        return
    for request in fresh:
        _send_alone(routing, request, again)


def _send_alone(routing: RoutingPass, request: Request, again: Requests) -> None:
    """To an address of the request's own: no other request shares its call."""
    alone = Requests(requests=[request], spec=again.spec, version=again.version, epoch=routing.table.epoch, solo=True)
    token = request.entry.rpartition("/")[2] or request.id
    address = str(Solo(routing.model, again.version, token))
    routing.call.send(INFERENCE, address, REQUESTS, alone.SerializeToString())
