"""Requests that come back from lost workers; versions on their way out."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.router import policy
from scurry.router.answers import LATE
from scurry.router.policy import Refusal
from scurry.router.routes import Lanes
from scurry.router.turn import REQUESTS, Turn
from scurry.wire.addresses import Lane, Solo, parse
from scurry.wire.messages_pb2 import Bounced, Drained, Request, Requests, Routes
from scurry.wire.names import INFERENCE, ROUTER, TYPE_PREFIX


def bounce(turn: Turn, bounced: Bounced, lost: Requests) -> None:
    """Send lost requests again after a pause: each alone if one of them may be to blame, else together.

    Only a request that was sent apart from others is charged, and less if its worker was busy with something else.
    """
    address = parse(bounced.address)
    version = address.version if address else lost.version
    if isinstance(address, Lane):
        turn.table.finish(version, address.lane, lost.sequence)
    turn.bounced += len(lost.requests)
    charge = policy.charge(executing=bounced.executing, solo=lost.solo, alone=bounced.alone)
    again: list[Request] = []
    for request in lost.requests:
        request.attempt += 1
        request.blame += charge
        why = policy.given_up(request.attempt, request.blame)
        if turn.late(request):
            turn.answers.refuse(request, LATE)
        elif why:
            turn.answers.bury(request, version, Refusal("worker_lost", f"{why} {bounced.cause}".rstrip()))
        else:
            again.append(request)
    solo = bounced.executing or lost.solo
    for group in [[request] for request in again] if solo else [again]:
        _send_later(turn, Requests(requests=group, spec=lost.spec, version=version, solo=solo))


def _send_later(turn: Turn, again: Requests) -> None:
    if again.requests:
        first = again.requests[0]
        delay = policy.backoff_ms(first.attempt)
        if again.solo:
            delay += policy.stagger_ms(first.entry or first.id, first.attempt, turn.bounced)
        turn.call.send_after(delay, ROUTER, turn.model, REQUESTS, again.SerializeToString())


def resend(turn: Turn, again: Requests) -> None:
    """The pause is over. The version stays the one chosen first, even if it drains or has gone meanwhile."""
    fresh: list[Request] = []
    for request in again.requests:
        if turn.late(request):
            turn.answers.refuse(request, LATE)
        else:
            fresh.append(request)
    if not fresh:
        return
    lanes = turn.table.lanes(again.version)
    if lanes is not None and not again.solo:
        turn.send(lanes, lanes.emptiest, fresh)
        return
    for request in fresh:
        _send_alone(turn, request, again)


def _send_alone(turn: Turn, request: Request, again: Requests) -> None:
    """To an address of the request's own: no other request shares its call."""
    alone = Requests(requests=[request], spec=again.spec, version=again.version, epoch=turn.table.epoch, solo=True)
    token = request.entry.rpartition("/")[2] or request.id
    address = str(Solo(turn.model, again.version, token))
    turn.call.send(INFERENCE, address, REQUESTS, alone.SerializeToString())


def switch(turn: Turn, routes: Routes) -> None:
    """Put routes in force, announce them, and begin to drain the versions they retire."""
    before = {lanes.generation for lanes in turn.table.draining}
    turn.table.replace(routes)
    turn.answers.add(routes.announce.replies)
    for lanes in turn.table.draining:
        if lanes.generation not in before and not lanes.idle:
            _flush(turn, lanes)


def _flush(turn: Turn, lanes: Lanes) -> None:
    """Ask the lanes that owe a report, and do not wait for ever."""
    if not lanes.route.function:
        for lane, sequence in lanes.unasked():
            turn.send_trailer(lanes, lane, sequence, report=True)
    limit = Drained(version=lanes.route.version, generation=lanes.generation, expired=True)
    turn.call.send_after(policy.DRAIN_MS, ROUTER, turn.model, f"{TYPE_PREFIX}Drained", limit.SerializeToString())


def stop_waiting(turn: Turn, limit: Drained) -> None:
    """The limit has passed: if the version still drains, the registry unloads it anyway."""
    waiting: Sequence[Lanes] = [lanes for lanes in turn.table.draining if lanes.generation == limit.generation]
    for lanes in waiting:
        if not lanes.idle:
            turn.tell_drained(lanes, expired=True)
