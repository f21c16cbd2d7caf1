"""Deadlines that passed while nobody answered."""

from __future__ import annotations

from scurry.router import watching
from scurry.router.answers import LATE
from scurry.router.refusing import failed
from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import Expire, Request


def expire(routing: RoutingPass, watched: Expire) -> None:
    """Answer what is overdue and not known to be finished; watch on over what has time yet.

    A request that was answered without the router's knowing is answered twice: the first answer of an entry wins.
    """
    rest = Expire(version=watched.version, lane=watched.lane)
    for expiry in watched.requests:
        if _finished(routing, watched, expiry.sequence):
            continue
        if expiry.deadline > routing.now:
            rest.requests.append(expiry)
        else:
            routing.answers.refuse(Request.FromString(expiry.SerializeToString()), LATE)
            _free(routing, watched, expiry.sequence)
    if rest.requests:
        watching.tell(routing.call, rest, min(expiry.deadline for expiry in rest.requests), routing.now)


def _finished(routing: RoutingPass, watched: Expire, sequence: int) -> bool:
    """Whether the lane has reported it; what runs alone, or ran for a version that is gone, nobody can tell."""
    lanes = routing.table.lanes(watched.version)
    if lanes is None or watched.lane < 0:
        return False
    done = lanes.counters.done
    return watched.lane >= len(done) or done[watched.lane] >= sequence


def _free(routing: RoutingPass, watched: Expire, sequence: int) -> None:
    """A user function that never replies does not keep the request's place."""
    lanes = routing.table.lanes(watched.version)
    if lanes is not None and lanes.function and routing.table.finish(watched.version, watched.lane, sequence):
        failed(routing.table, watched.version, LATE.code)
