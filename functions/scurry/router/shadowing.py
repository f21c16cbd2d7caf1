"""Copies of answered requests, to the version that is the shadow.

A worker that has answered sends them, so that no caller waits for one. They take only room that callers leave: what
does not fit, or was lost with its worker, is dropped and counted. Nothing is tried again.
"""

from __future__ import annotations

from collections.abc import Sequence

from scurry.router import sending
from scurry.router.answers import parked
from scurry.router.lanes import Lanes
from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import Bounced, Copies, Released, Request, Requests
from scurry.wire.names import EGRESS, INFERENCE, TYPE_PREFIX


def forward(routing: RoutingPass, copies: Copies) -> None:
    """Send copies to the lanes of the shadow, up to half of what it may hold."""
    lanes, requests = routing.table.lanes(copies.version), copies.requests
    if lanes is None or lanes.draining or lanes.function or not _is_shadow(routing, lanes):
        drop(routing, copies.version, requests)
        return
    outstanding = lanes.outstanding
    room = lanes.room.keep_to(routing.bounds.queue_ms) // 2 - sum(outstanding)
    count, at = min(len(requests), max(0, room)), 0
    for lane, size in lanes.room.spread(outstanding, count) if count else ():
        part = Requests(requests=requests[at : at + size], expected=copies.expected[at : at + size])
        _send(routing, lanes, lane, part)
        at += size
    drop(routing, copies.version, requests[at:])


def _is_shadow(routing: RoutingPass, lanes: Lanes) -> bool:
    """Whether a version is the shadow still, and the job has an endpoint for its workers."""
    shadow = routing.table.routes.shadow.version
    return shadow == lanes.version and (lanes.target == INFERENCE or routing.bounds.reaches(lanes.target))


def _send(routing: RoutingPass, lanes: Lanes, lane: int, part: Requests) -> None:
    routing.table.changed = True
    sequence, report = lanes.send(lane, len(part.requests))
    sending.send_trailer(
        routing.call, routing.table, lanes, lane, sequence,
        report=report, raw=part.SerializeToString(), apart=lanes.apart(routing.now),
    )  # fmt: skip


def bounce(routing: RoutingPass, version: str, bounced: Bounced, back: Requests) -> None:
    """Copies are not sent again. The next ones compute in child processes, if these may have ended their worker."""
    lanes = routing.table.lanes(version)
    if lanes is not None and bounced.executing:
        lanes.suspect(routing.now)
    drop(routing, version, back.requests)


def drop(routing: RoutingPass, version: str, requests: Sequence[Request]) -> None:
    """Count copies that nobody will compute, and let go of what is parked for them."""
    lanes = routing.table.lanes(version)
    if lanes is not None and requests:
        lanes.counters.untold.shadow.dropped += len(requests)
        routing.table.changed = True
    for request in requests:
        if keys := parked(request):
            released = Released(id=request.id, keys=keys)
            routing.call.egress(EGRESS, f"{TYPE_PREFIX}Released", released.SerializeToString())
