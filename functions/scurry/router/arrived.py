"""New requests of one call: what arrived together leaves together."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import Requests


def dispatch(routing: RoutingPass, groups: Sequence[tuple[Requests, bytes]]) -> None:
    """Route requests, each group with the same serialised. Of plain ones the ingress told the first deadline."""
    if len(groups) == 1:
        group, raw = groups[0]
        due = group.first_deadline if group.plain else None
        routing.dispatch(group.requests, raw, replayed=group.replayed, due=due)
        return
    requests = [request for group, _ in groups for request in group.requests]
    plain = all(group.plain for group, _ in groups)
    deadlines = [group.first_deadline for group, _ in groups if group.first_deadline > 0]
    # serialised Requests joined are one Requests with all of theirs
    routing.dispatch(
        requests,
        b"".join([raw for _, raw in groups]),
        replayed=any(group.replayed for group, _ in groups),
        due=min(deadlines, default=0) if plain else None,
    )
