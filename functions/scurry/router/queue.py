"""The queue of requests that wait for a route, in the order they came.

What waits lies in delayed messages, which come back at times of their own. Steps of a sequence must not overtake each
other: those that wait have tickets, and of models that keep sequences nobody goes before their turn. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from scurry.router.policy import BEHIND, QUEUED, UNDECIDED, Hope, Refusal
from scurry.wire.messages_pb2 import Request, RouterState

Unrouted = tuple[int, Request, Refusal]
"""A request that finds no route: since when it waits, and what for."""


def stands(state: RouterState, unrouted: Iterable[Unrouted]) -> bool:
    """Whether anybody waits, or is about to."""
    if state.served < state.tickets:
        return True
    return any(refusal.hope is not Hope.NONE and is_queued(request, refusal) for _, request, refusal in unrouted)


def join(state: RouterState, requests: Iterable[Request]) -> None:
    """One ticket for requests that begin to wait together."""
    state.tickets += 1
    for request in requests:
        request.ticket = state.tickets


def is_queued(request: Request, refusal: Refusal) -> bool:
    """Whether others must not go before this request: who waits for a version of that name holds up nobody."""
    return refusal in {UNDECIDED, QUEUED, BEHIND} or not request.version


def is_turn(state: RouterState, ticket: int) -> bool:
    """Whether everybody before the holder of a ticket is served."""
    return ticket <= state.served + 1


def serve(state: RouterState, ticket: int) -> None:
    """The holders of a ticket wait no more; when nobody waits at all, everybody is served."""
    state.served = max(state.served, min(ticket, state.tickets))
    if not state.held:
        state.served = state.tickets
