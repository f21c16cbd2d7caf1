"""What became of a model's requests, told to the registry now and then.

Workers' counts come with `Done`; what the router answers itself `refusing.py` counts. At the end of a pass that found
something to tell, a `Tell` is sent to come a while later. It asks the lanes that owe a report for it, and all is told
once one has answered: so the last counts arrive too when the requests end. Before a version goes, what it answered is
told at once.

A deadline that passes while its lane is silent is not counted here: that request is counted when its lane is done with
it, or lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scurry.router import sending
from scurry.router.lanes import Lanes
from scurry.router.owing import owing
from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import ASKED, QUIET, SCHEDULED, Answered, Counted, Done, Reply
from scurry.wire.names import REGISTRY, ROUTER, TYPE_PREFIX
from scurry.wire.statistics import LONGEST_CODE, add_codes, answered_by, note

TELL: Final = f"{TYPE_PREFIX}Tell"
TELL_MS: Final = 1_000
"""So long counts wait for others before they are told."""
MODEL_MS: Final = 10
"""And so much longer for each model that this process serves: a hundred models tell in a second, however many."""


def reported(lanes: Lanes, answered: Iterable[Answered]) -> None:
    """A worker reports what it answered, call by call."""
    for call in answered:
        note(lanes.counters.untold, call)


def tell_of_gone(routing: RoutingPass, done: Done) -> None:
    """A lane reports of a version that has no route any more: the registry counts it, if that is registered still."""
    if not done.answered:
        return
    told = Counted()
    statistics = told.versions.add(version=done.version).statistics
    for call in done.answered:
        note(statistics, call)
    _send(routing, told)


def replied(lanes: Lanes, reply: Reply) -> None:
    """A user function answers."""
    counts = lanes.counters.untold.primary
    if reply.error:
        add_codes(counts.errors, {reply.error[:LONGEST_CODE]: 1})
    else:
        counts.ok += 1


def come_back(routing: RoutingPass, models: int) -> None:
    """At the end of a pass: tell what lanes were asked for, or see to it that what is new is told later."""
    state = routing.table.state
    if not routing.table.changed or (state.telling == SCHEDULED and not routing.table.watched):
        return
    if routing.table.settled and (state.telling == ASKED or any(map(_urgent, routing.table))):
        state.telling = SCHEDULED if state.telling == SCHEDULED else QUIET
        _tell(routing)
    elif state.telling != SCHEDULED and _is_due(routing) and _anything(routing):
        state.telling = SCHEDULED
        routing.call.send_after(TELL_MS + MODEL_MS * models, ROUTER, routing.model, TELL, b"")


def _is_due(routing: RoutingPass) -> bool:
    return routing.table.state.telling == QUIET or any(owing(lanes.counters) for lanes in routing.table)


def _urgent(lanes: Lanes) -> bool:
    """Whether the registry waits for what this version has answered."""
    every = lanes.route.tell_every
    if not every:
        return False
    untold = lanes.counters.untold
    return answered_by(untold.primary) + lanes.counters.refused + untold.shadow.compared >= every


def tell(routing: RoutingPass) -> None:
    """The time has come. Lanes that owe a report are asked for it first."""
    routing.table.changed, state = True, routing.table.state
    state.telling = QUIET
    for lanes in routing.table:
        if sending.ask_for_reports(routing.call, routing.table, lanes):
            state.telling = ASKED
    if state.telling == QUIET:
        _tell(routing)


def _anything(routing: RoutingPass) -> bool:
    return bool(routing.table.state.unrouted) or any(
        lanes.counters.requests or lanes.counters.refused or lanes.counters.HasField("untold") or owing(lanes.counters)
        for lanes in routing.table
    )


def _tell(routing: RoutingPass) -> None:
    """Tell all that is not told, and begin anew."""
    state, told = routing.table.state, Counted()
    for lanes in routing.table:
        _take(lanes, told)
    add_codes(told.unrouted, state.unrouted)
    state.unrouted.clear()
    if told.versions or told.unrouted:
        _send(routing, told)


def tell_of(routing: RoutingPass, lanes: Lanes) -> None:
    """Tell at once what is not told of a version that goes."""
    told = Counted()
    _take(lanes, told)
    if told.versions:
        routing.table.changed = True
        _send(routing, told)


def _take(lanes: Lanes, told: Counted) -> None:
    counters = lanes.counters
    if counters.requests or counters.refused or counters.HasField("untold"):
        statistics = told.versions.add(version=lanes.version).statistics
        statistics.CopyFrom(counters.untold)
        statistics.primary.requests += counters.requests + counters.refused
        statistics.primary.refused += counters.refused
        for field in ("requests", "refused", "untold"):
            counters.ClearField(field)


def _send(routing: RoutingPass, told: Counted) -> None:
    routing.call.send(REGISTRY, routing.model, f"{TYPE_PREFIX}Counted", told.SerializeToString())
