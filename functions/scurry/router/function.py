"""The function `scurry/router`: requests of one model to its versions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from scurry.endpoint.call import NOTHING, Call, Message, State, answer_each, now_ms
from scurry.router import apart, arrived, counting, draining, expiry, growing, holding, recovery, shadowing
from scurry.router.policy import Bounds
from scurry.router.routes import RouteTable
from scurry.router.routing_pass import RoutingPass
from scurry.router.sending import REQUESTS
from scurry.router.tables import Tables
from scurry.router.watching import EXPIRE
from scurry.telemetry.prometheus import Figure
from scurry.wire.addresses import Lane, parse
from scurry.wire.messages_pb2 import Bounced, Copies, Done, Drained, Expire, LanesLook, Reply, Requests, Routes
from scurry.wire.names import ROUTER, ROUTER_STATE, TYPE_PREFIX
from scurry.wire.sequences import STEPS
from scurry.wire.statistics import RUNS

log = logging.getLogger(__name__)

STATE: Final = State(ROUTER_STATE, f"{TYPE_PREFIX}RouterState")
ROUTES: Final = f"{TYPE_PREFIX}Routes"
UPDATE: Final = f"{TYPE_PREFIX}Update"
SWITCHES: Final = frozenset({ROUTES, UPDATE})


class Router:
    """Serves every model: nothing decides but what travels with the calls."""

    typename = ROUTER
    state: State | None = STATE

    def __init__(self, clock: Callable[[], int] = now_ms, bounds: Bounds | None = None) -> None:
        self._clock = clock
        self.bounds = bounds or Bounds()
        self._tables = Tables()
        self.bounced = 0

    def figures(self) -> Iterator[Figure]:
        """For Prometheus."""
        told = "Requests that came back because no worker answered them"
        yield Figure("scurry_router_bounced_total", "counter", told, self.bounced)

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; never waits."""
        answer_each(calls, done, self._answer)

    def _answer(self, call: Call) -> None:
        """One batch of one model. Should a message of it fail, all is unsaid and each is taken by itself."""
        routing = RoutingPass(call, self._clock(), self._tables.take(call.key, call.state), self.bounds)
        try:
            _take_together(routing, call.messages)
        except Exception:
            log.exception("model %s: a message failed; those of its call are taken apart", call.key)
            call.undo(NOTHING)
            routing = RoutingPass(call, routing.now, RouteTable.load(call.state), self.bounds)
            apart.take_apart(routing, call.messages, take)
        growing.watch_all(routing)
        holding.settle(routing)
        draining.report(routing)
        counting.come_back(routing, len(self._tables))
        self.bounced += routing.bounced
        self._tables.put(call.key, routing.close(STATE), routing.table)

    def __repr__(self) -> str:
        return f"<Router {self._tables!r}>"


def _take_together(routing: RoutingPass, messages: Sequence[Message]) -> None:
    """Requests that arrived together leave together."""
    groups: list[tuple[Requests, bytes]] = []
    for message in messages:
        if not apart.from_outside(message):
            if groups and message.typename in SWITCHES:  # what came before a switch is answered as before it
                arrived.dispatch(routing, groups)
                groups = []
            take(routing, message)
            continue
        try:
            group = Requests.FromString(message.value)
        except DecodeError as failure:
            routing.answers.unreadable(message, failure)
        else:
            if group.requests:
                groups.append((group, message.value))
    if groups:
        arrived.dispatch(routing, groups)


def take(routing: RoutingPass, message: Message) -> None:
    """Act on anything but new requests; what cannot be read is put aside, for it would never get readable."""
    act = _ACTS.get(message.typename)
    if act is None:
        routing.answers.unreadable(message, LookupError("the router does not know messages of this type"))
        return
    try:
        act(routing, message)
    except DecodeError as failure:
        routing.answers.unreadable(message, failure)


def _requests(routing: RoutingPass, message: Message) -> None:
    again = Requests.FromString(message.value)
    if again.held_since:
        holding.resume(routing, again)
    else:
        recovery.resend(routing, again)


def _done(routing: RoutingPass, message: Message) -> None:
    """A lane reports by its sequence and how long that took; what ran alone, of no lane, just that it is done."""
    done = Done.FromString(message.value)
    lanes = routing.table.lanes(done.version)
    if lanes is None:
        counting.tell_of_gone(routing, done)
        return
    if done.answered:
        counting.reported(lanes, done.answered)
        routing.table.changed = True
    if done.suspicious:
        lanes.suspect(routing.now)
        routing.table.changed = True
    if done.lane == RUNS:
        return
    if done.lane == STEPS:
        lanes.room.measure(done.busy_micros, done.requests)
        routing.table.leave(done.version, -max(0, done.requests))
    elif done.lane < 0:  # how long that took tells nothing of the lanes: it waits for a child process, behind others
        routing.table.leave(done.version, -1)
    else:
        lanes.room.measure(done.busy_micros, done.requests)
        lanes.finish(done.lane, done.sequence)
        routing.table.changed = routing.table.settled = True


def _bounced(routing: RoutingPass, message: Message) -> None:
    bounced = Bounced.FromString(message.value)
    recovery.bounce(routing, bounced, recovery.lost(bounced))


def _routes(routing: RoutingPass, message: Message) -> None:
    draining.switch(routing, Routes.FromString(message.value))


def _drained(routing: RoutingPass, message: Message) -> None:
    draining.stop_waiting(routing, Drained.FromString(message.value))


def _copies(routing: RoutingPass, message: Message) -> None:
    shadowing.forward(routing, Copies.FromString(message.value))


def _tell(routing: RoutingPass, _: Message) -> None:
    counting.tell(routing)


def _expire(routing: RoutingPass, message: Message) -> None:
    expiry.expire(routing, Expire.FromString(message.value))


def _look(routing: RoutingPass, message: Message) -> None:
    growing.look(routing, LanesLook.FromString(message.value))


def _reply(routing: RoutingPass, message: Message) -> None:
    """A user function's answer: the lane it came from tells the version. Its slot is free however it answered."""
    lane = parse(message.caller[1]) if message.caller else None
    reply = Reply.FromString(message.value)
    if isinstance(lane, Lane) and routing.table.finish(lane.version, lane.lane):
        counting.replied(routing.table[lane.version], reply)
    if not (reply.id or reply.reply):
        log.warning("model %s: a user function's reply names no request and is dropped", routing.model)
        return
    reply.model = routing.model
    reply.version = lane.version if lane else reply.version
    routing.answers.add([reply])


_ACTS: Final[dict[str, Callable[[RoutingPass, Message], None]]] = {
    REQUESTS: _requests,
    ROUTES: _routes,
    UPDATE: holding.forward,
    f"{TYPE_PREFIX}Done": _done,
    f"{TYPE_PREFIX}Bounced": _bounced,
    f"{TYPE_PREFIX}Reply": _reply,
    f"{TYPE_PREFIX}Drained": _drained,
    EXPIRE: _expire,
    growing.LANES_LOOK: _look,
    counting.TELL: _tell,
    f"{TYPE_PREFIX}Copies": _copies,
}
"""The router sends itself Requests after a pause, and Drained as the limit of draining, Expire for deadlines,
LanesLook for lanes that came by a backlog."""
