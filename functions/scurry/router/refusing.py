"""Requests that the router answers with an error, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scurry.router.answers import Answers, unfit
from scurry.router.lanes import Lanes
from scurry.router.policy import Bounds, Refusal
from scurry.router.routes import RouteTable
from scurry.wire.messages_pb2 import Request
from scurry.wire.statistics import add_codes


class Pass(Protocol):
    """What a pass of the router has that it takes to refuse."""

    table: RouteTable
    answers: Answers
    bounds: Bounds


def failed(table: RouteTable, version: str, code: str) -> None:
    """Count an error of a version, or of none. Of unknown models nothing is kept."""
    if not table.known:
        return
    lanes = table.lanes(version)
    errors = lanes.counters.untold.primary.errors if lanes is not None else table.state.unrouted
    add_codes(errors, {code: 1})
    table.changed = True


def refuse(routing: Pass, version: str, request: Request, refusal: Refusal) -> None:
    """Answer a request, and count that: of the version among whose requests it is, or of none."""
    failed(routing.table, version, refusal.code)
    routing.answers.refuse(request, refusal)


def refuse_new(routing: Pass, lanes: Lanes, request: Request, refusal: Refusal) -> None:
    """The same for one that has just found its version: it is a request of that version from now on."""
    lanes.count(1)
    refuse(routing, lanes.version, request, refusal)


def fit(routing: Pass, lanes: Lanes, requests: Sequence[Request], *, new: bool = False) -> list[Request]:
    """Those that whoever computes for a version can answer; the others are refused."""
    fit: list[Request] = []
    for request in requests:
        refusal = unfit(lanes.target, routing.bounds, request)
        if refusal is None:
            fit.append(request)
        elif new:
            refuse_new(routing, lanes, request, refusal)
        else:
            refuse(routing, lanes.version, request, refusal)
    return fit
