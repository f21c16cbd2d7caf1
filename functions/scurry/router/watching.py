"""Deadlines of requests whose worker may be dead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scurry.endpoint.call import Call
from scurry.router import policy
from scurry.router.lanes import Lanes
from scurry.wire.messages_pb2 import Expire, Request, Requests
from scurry.wire.names import ROUTER, TYPE_PREFIX

EXPIRE: Final = f"{TYPE_PREFIX}Expire"


def deadlines(
    lanes: Lanes, requests: Sequence[Request], now: int, due: int | None = None
) -> list[tuple[int, int]]:
    """(place, deadline) of those among these that are to be watched; `due` is the first of all, if it is known.

    For a user function each has one, lest a missing reply keep its place for ever.
    """
    if lanes.function:
        return [(place, request.deadline or now + policy.FUNCTION_MS) for place, request in enumerate(requests)]
    limit = now + policy.WATCH_MS
    if due is not None and not 0 < due < limit:
        return []
    return [(place, request.deadline) for place, request in enumerate(requests) if 0 < request.deadline < limit]


def watch(
    call: Call,
    lanes: Lanes,
    lane: int,
    requests: Sequence[Request],
    near: Sequence[tuple[int, int]],
    *,
    first: int,
    now: int,
) -> None:
    """Be told when the first of these deadlines has passed; `first` is the lane's sequence of the first request."""
    watched = Expire.FromString(Requests(requests=[requests[place] for place, _ in near]).SerializeToString())
    watched.DiscardUnknownFields()  # an Expiry is a Request without what answering it does not need
    watched.version, watched.lane = lanes.version, lane
    for expiry, (place, deadline) in zip(watched.requests, near, strict=True):
        expiry.deadline, expiry.sequence = deadline, first + place
    tell(call, watched, min(deadline for _, deadline in near), now)


def tell(call: Call, watched: Expire, due: int, now: int) -> None:
    """Send a watch to come a little after a deadline, so that the next ones have passed as well."""
    delay = max(due - now, 0) + policy.BUCKET_MS
    call.send_after(delay, ROUTER, call.key, EXPIRE, watched.SerializeToString())
