"""Requests that come back from lost workers."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from scurry.router import policy, sequences, shadowing, watching
from scurry.router.admission import level_of
from scurry.router.answers import LATE
from scurry.router.lanes import Lanes
from scurry.router.owing import owe
from scurry.router.policy import Refusal
from scurry.router.refusing import failed, refuse
from scurry.router.routing_pass import RoutingPass
from scurry.router.sending import REQUEST, REQUESTS
from scurry.wire.addresses import Lane, Sequence, Solo, parse
from scurry.wire.messages_pb2 import Bounced, Request, Requests
from scurry.wire.names import ROUTER


def lost(bounced: Bounced) -> Requests:
    """The requests that came back. Raises `DecodeError`."""
    if bounced.typename == REQUESTS:
        return Requests.FromString(bounced.message)
    if bounced.typename == REQUEST:  # from a user function, which gets them one by one
        return Requests(requests=[Request.FromString(bounced.message)])
    raise DecodeError(f"a message of type {bounced.typename!r} came back to the router")


def bounce(routing: RoutingPass, bounced: Bounced, back: Requests) -> None:
    """Send lost requests again after a pause: each alone if one of them may be to blame, else together.

    Only a request that was sent apart from others is charged, and less if its worker was busy with something else.
    """
    address = parse(bounced.address)
    if isinstance(address, Sequence):
        sequences.come_back(routing, address, bounced, back)
        return
    version = address.version if address else back.version
    _arrive(routing, bounced, back)
    if back.expected:
        shadowing.bounce(routing, version, bounced, back)
        return
    routing.bounced += len(back.requests)
    by_itself = back.solo and not isinstance(address, Lane)
    charge = policy.charge(executing=bounced.executing, solo=by_itself, alone=bounced.alone)
    again: list[Request] = []
    for request in back.requests:
        request.attempt = policy.one_more(request.attempt, policy.BOUNCES)
        request.blame = policy.one_more(request.blame, policy.CHARGE_LIMIT, charge)
        why = policy.given_up(request.attempt, request.blame)
        if routing.late(request):
            refuse(routing, version, request, LATE)
        elif why:
            failed(routing.table, version, "worker_lost")
            routing.answers.bury(request, version, Refusal("worker_lost", f"{why} {bounced.cause}".rstrip()))
        else:
            again.append(request)
    routing.table.leave(version, len(again))
    solo = bounced.typename == REQUESTS and (bounced.executing or back.solo)
    for group in [[request] for request in again] if solo else [again]:
        _send_later(routing, Requests(requests=group, version=version, solo=solo))


def _arrive(routing: RoutingPass, bounced: Bounced, back: Requests) -> None:
    """Its lane has finished them; what ran alone counted as away."""
    address = parse(bounced.address)
    if isinstance(address, Solo):
        routing.table.leave(address.version, -len(back.requests))
    elif isinstance(address, Lane) and bounced.typename == REQUEST:
        routing.table.finish(address.version, address.lane)
    elif isinstance(address, Lane):
        routing.table.finish(address.version, address.lane, back.sequence)
        if (lanes := routing.table.lanes(address.version)) is not None:
            owe(lanes.counters, address.lane)
            routing.table.changed = True


def _send_later(routing: RoutingPass, again: Requests) -> None:
    if again.requests:
        first = again.requests[0]
        delay = policy.backoff_ms(first.attempt)
        if again.solo:
            delay += policy.stagger_ms(first.entry or first.id, first.attempt, routing.bounced)
        left = [request.deadline - routing.now for request in again.requests if request.deadline > 0]
        delay = min([delay, *left])  # what is late by then is answered then
        routing.call.send_after(delay, ROUTER, routing.model, REQUESTS, again.SerializeToString())


def resend(routing: RoutingPass, again: Requests) -> None:
    """The pause is over. The version stays the one chosen first as long as it is routed, be it draining.

    What it was loaded from is what the routes say now: a request that was away brings nothing back that has gone.
    """
    routing.table.leave(again.version, -len(again.requests))
    fresh: list[Request] = []
    for request in again.requests:
        if routing.late(request):
            refuse(routing, again.version, request, LATE)
        else:
            fresh.append(request)
    lanes = routing.table.lanes(again.version)
    if again.solo:
        for request in fresh:
            _send_alone(routing, request, lanes)
    elif lanes is None:
        routing.dispatch(fresh, Requests(requests=fresh).SerializeToString())
    else:
        _send_together(routing, lanes, fresh)


def _send_together(routing: RoutingPass, lanes: Lanes, requests: Iterable[Request]) -> None:
    """To a lane of the level at which each waits."""
    levels: dict[int, list[Request]] = {}
    for request in requests:
        levels.setdefault(level_of(request, lanes.admission), []).append(request)
    for level, group in levels.items():
        if fit := routing.fit(lanes, group):
            routing.send(lanes, lanes.emptiest(level), fit)


def _send_alone(routing: RoutingPass, request: Request, lanes: Lanes | None) -> None:
    """To an address of the request's own: no other request shares its call. It reports when it is done."""
    if lanes is None:
        choice = routing.choose(request)
        if isinstance(choice, Refusal):
            routing.unrouted.append((0, request, choice))
            return
        lanes = choice
        lanes.count(1)
    if lanes.function:
        _send_together(routing, lanes, [request])
        return
    if not routing.fit(lanes, [request]):
        return
    routing.table.leave(lanes.version, 1)
    alone = Requests(requests=[request], sequence=1, report=True, epoch=routing.table.epoch, solo=True)
    if near := watching.deadlines(lanes, [request], routing.now):
        watching.watch(routing.call, lanes, -1, [request], near, first=0, now=routing.now)
    token = f"{request.run}/{request.step}" if request.run else request.entry or request.id
    address = str(Solo(routing.model, lanes.version, token))
    routing.call.send(lanes.target, address, REQUESTS, b"".join((lanes.stamp, alone.SerializeToString())))
