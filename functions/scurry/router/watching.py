"""Deadlines of requests whose lane has not shown that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scurry.endpoint.call import Call
from scurry.router import policy
from scurry.router.lanes import Lanes
from scurry.wire.messages_pb2 import Expire, Request, Requests
from scurry.wire.names import ROUTER, TYPE_PREFIX

EXPIRE: Final = f"{TYPE_PREFIX}Expire"


def watch(call: Call, lanes: Lanes, lane: int, sequence: int, requests: Sequence[Request], *, now: int) -> None:
    """Be told when the first deadline of these has passed; `sequence` is the lane's after them, 0 without a lane."""
    due = deadlines(lanes, requests, now)
    if not due:
        return
    watched = Expire.FromString(Requests(requests=requests).SerializeToString())
    watched.DiscardUnknownFields()  # an Expiry is a Request without what answering it does not need
    watched.version, watched.lane, watched.sequence = lanes.version, lane, sequence
    if lanes.route.function:
        for expiry, deadline in zip(watched.requests, due, strict=True):
            expiry.deadline = deadline
    tell(call, watched, min(due), now)


def deadlines(lanes: Lanes, requests: Sequence[Request], now: int) -> list[int]:
    """The deadlines among these; for a user function each has one, lest a missing reply keep its place for ever."""
    if lanes.route.function:
        return [request.deadline or now + policy.FUNCTION_MS for request in requests]
    return [request.deadline for request in requests if request.deadline > 0]


def tell(call: Call, watched: Expire, due: int, now: int) -> None:
    """Send a watch to come a little after a deadline, so that the next ones have passed as well."""
    delay = max(due - now, 0) + policy.BUCKET_MS
    call.send_after(delay, ROUTER, call.key, EXPIRE, watched.SerializeToString())
