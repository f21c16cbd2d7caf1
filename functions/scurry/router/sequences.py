"""Steps of sequences that come back: unknown there, or unanswered.

A step is never sent again after a pause, or the next step of its sequence could overtake it: the transport repeats
such a call in its place instead, again and again. What comes back from it all the same is answered for good.
"""

from __future__ import annotations

from scurry.router import steps
from scurry.router.lanes import Lanes
from scurry.router.policy import Refusal
from scurry.router.refusing import failed, refuse
from scurry.router.routing_pass import RoutingPass
from scurry.wire.addresses import Sequence
from scurry.wire.messages_pb2 import Bounced, Request, Requests


def come_back(routing: RoutingPass, address: Sequence, bounced: Bounced, back: Requests) -> None:
    """Look for an unknown sequence elsewhere; answer what could not be computed."""
    routing.table.leave(address.version, -len(back.requests))
    for request in back.requests:
        if back.missed:
            _look_elsewhere(routing, address, request)
        else:
            sentence = f"Worker after worker was lost with this step, and with it its sequence. {bounced.cause}"
            failed(routing.table, address.version, "worker_lost")
            routing.answers.bury(request, address.version, Refusal("worker_lost", sentence.rstrip()))


def _look_elsewhere(routing: RoutingPass, address: Sequence, request: Request) -> None:
    """A sequence stays with the version that began it: when the routes were changed meanwhile, it is another one."""
    request.sequence_missed.append(address.version)
    lanes = None if request.version == address.version else _other(routing, request)
    if lanes is None:
        refuse(routing, address.version, request, unknown(request))
        return
    steps.send(routing, lanes, [request])


def _other(routing: RoutingPass, request: Request) -> Lanes | None:
    """The newest version that may know the sequence and was not asked yet."""
    able = [lanes for lanes in routing.table if lanes.sequences and not lanes.draining]
    return next((lanes for lanes in reversed(able) if lanes.version not in request.sequence_missed), None)


def unknown(request: Request) -> Refusal:
    """No version knows it."""
    sentence = (
        f"There is no sequence {request.sequence_id!r}: it was not begun with sequence_start, has ended, was idle for "
        "too long, or its version is gone."
    )
    return Refusal("sequence_not_found", sentence)
