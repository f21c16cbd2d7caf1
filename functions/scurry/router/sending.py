"""Requests to a lane, with what the router writes behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from scurry.endpoint.call import Call
from scurry.router import policy
from scurry.router.lanes import Lanes
from scurry.router.owing import unasked
from scurry.router.routes import RouteTable
from scurry.router.watching import deadlines, watch
from scurry.wire.addresses import lane_key
from scurry.wire.messages_pb2 import Request, Requests
from scurry.wire.names import TYPE_PREFIX

REQUESTS: Final = f"{TYPE_PREFIX}Requests"
REQUEST: Final = f"{TYPE_PREFIX}Request"


def send(
    call: Call,
    table: RouteTable,
    lanes: Lanes,
    lane: int,
    requests: Sequence[Request],
    *,
    raw: bytes | None,
    due: int | None = None,
    now: int,
) -> None:
    """One message to one lane, or two where some are to be copied; `raw` are the same requests serialised.

    No deadline is before `due`. Near deadlines are watched, and their lane is asked to report: its worker may be dead.
    """
    table.changed = True
    shadow = table.routes.shadow
    if not shadow.version or shadow.version == lanes.version or lanes.function:
        _send(call, table, lanes, lane, requests, raw=raw, due=due, now=now)
        return
    chosen = [policy.is_copied(shadow.version, shadow.percent, each.entry or each.id) for each in requests]
    for copied, version in ((False, ""), (True, shadow.version)):
        part = [request for request, each in zip(requests, chosen, strict=True) if each is copied]
        if part:
            whole = raw if len(part) == len(requests) else None
            _send(call, table, lanes, lane, part, raw=whole, due=due, now=now, shadow=version)


def _send(
    call: Call,
    table: RouteTable,
    lanes: Lanes,
    lane: int,
    requests: Sequence[Request],
    *,
    raw: bytes | None = None,
    due: int | None = None,
    now: int,
    shadow: str = "",
) -> None:
    near = deadlines(lanes, requests, now, due) if due != 0 or lanes.function else []
    sequence, report = lanes.send(lane, len(requests), ask=bool(near))
    if near:
        watch(call, lanes, lane, requests, near, first=sequence - len(requests) + 1, now=now)
    if lanes.function:
        _send_to_user_function(call, table, lanes, lane, requests)
        return
    if raw is None:
        raw = Requests(requests=requests).SerializeToString()
    send_trailer(call, table, lanes, lane, sequence, report=report, raw=raw, apart=lanes.apart(now), shadow=shadow)


def send_trailer(
    call: Call,
    table: RouteTable,
    lanes: Lanes,
    lane: int,
    sequence: int,
    *,
    report: bool,
    raw: bytes = b"",
    apart: bool = False,
    shadow: str = "",
) -> None:
    """Serialised requests with the router's own fields behind: together one serialised `Requests`."""
    trailer = Requests(sequence=sequence, report=report, epoch=table.epoch, solo=apart, shadow=shadow)
    address = lane_key(call.key, lanes.version, lane)
    call.send(lanes.target, address, REQUESTS, b"".join((raw, lanes.stamp, trailer.SerializeToString())))


def ask_for_reports(call: Call, table: RouteTable, lanes: Lanes) -> bool:
    """Have every lane that owes a report send one; False when none is asked.

    What nobody asks for counts as outstanding for ever, and a bound that fell below that would refuse for ever.
    """
    if lanes.function:  # each reply is its report
        return False
    owing = unasked(lanes.counters)
    for lane, sequence in owing:
        send_trailer(call, table, lanes, lane, sequence, report=True)
    return bool(owing)


def _send_to_user_function(call: Call, table: RouteTable, lanes: Lanes, lane: int, requests: Iterable[Request]) -> None:
    """A user's own function takes one request per message, told its version."""
    address = lane_key(call.key, lanes.version, lane)
    for request in requests:
        told = Request()
        told.CopyFrom(request)
        told.version, told.epoch = lanes.version, table.epoch
        call.send(lanes.target, address, REQUEST, told.SerializeToString())
