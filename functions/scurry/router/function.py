"""The function `scurry/router`: requests of one model to its versions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call, Message, State, answer_each, now_ms
from scurry.router import draining, recovery
from scurry.router.routes import Tables
from scurry.router.routing_pass import REQUESTS, RoutingPass
from scurry.wire.addresses import Lane, parse
from scurry.wire.messages_pb2 import Bounced, Done, Drained, Reply, Requests, Routes
from scurry.wire.names import ROUTER, ROUTER_STATE, TYPE_PREFIX

log = logging.getLogger(__name__)

STATE: Final = State(ROUTER_STATE, f"{TYPE_PREFIX}RouterState")
ROUTES: Final = f"{TYPE_PREFIX}Routes"


class Router:
    """Serves every model: nothing decides but what travels with the calls."""

    typename = ROUTER
    state: State | None = STATE

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self._tables = Tables()

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; never waits."""
        answer_each(calls, done, self._answer)

    def _answer(self, call: Call) -> None:
        """One batch of one model: requests that arrived together leave together."""
        routing = RoutingPass(call, self._clock(), self._tables.take(call.key, call.state))
        pile: list[bytes] = []
        for message in call.messages:
            if message.typename == REQUESTS and not _from_router(message):
                pile.append(message.value)
                continue
            if pile and message.typename == ROUTES:  # what came before a switch is answered as before it
                routing.dispatch(b"".join(pile))
                pile.clear()
            _take(routing, message)
        if pile:
            routing.dispatch(b"".join(pile))  # serialised Requests joined are one Requests with all their requests
        draining.report(routing)
        self._tables.put(call.key, routing.close(STATE), routing.table)

    def __repr__(self) -> str:
        return f"<Router {self._tables!r}>"


def _from_router(message: Message) -> bool:
    return message.caller is not None and message.caller[0] == ROUTER


def _take(routing: RoutingPass, message: Message) -> None:
    """Act on anything but new requests; what cannot be read is dropped, for it would never get readable."""
    take = _TAKE.get(message.typename)
    if take is None:
        log.warning("model %s: the router does not know messages of type %s", routing.model, message.typename)
        return
    try:
        take(routing, message)
    except DecodeError:
        log.exception("model %s: a message of type %s cannot be read and is dropped", routing.model, message.typename)


def _requests(routing: RoutingPass, message: Message) -> None:
    recovery.resend(routing, Requests.FromString(message.value))


def _done(routing: RoutingPass, message: Message) -> None:
    done = Done.FromString(message.value)
    routing.table.finish(done.version, done.lane, done.sequence)


def _bounced(routing: RoutingPass, message: Message) -> None:
    bounced = Bounced.FromString(message.value)
    if bounced.typename == REQUESTS:
        recovery.bounce(routing, bounced, Requests.FromString(bounced.message))


def _routes(routing: RoutingPass, message: Message) -> None:
    draining.switch(routing, Routes.FromString(message.value))


def _drained(routing: RoutingPass, message: Message) -> None:
    draining.stop_waiting(routing, Drained.FromString(message.value))


def _reply(routing: RoutingPass, message: Message) -> None:
    """A user function's answer: the lane it came from tells the version."""
    reply = Reply.FromString(message.value)
    lane = parse(message.caller[1]) if message.caller else None
    if isinstance(lane, Lane):
        routing.table.finish_one(lane.version, lane.lane)
    if not (reply.id or reply.reply):
        log.warning("model %s: a user function's reply names no request and is dropped", routing.model)
        return
    reply.model = routing.model
    reply.version = lane.version if lane else reply.version
    routing.answers.add([reply])


_TAKE: Final[dict[str, Callable[[RoutingPass, Message], None]]] = {
    REQUESTS: _requests,
    ROUTES: _routes,
    f"{TYPE_PREFIX}Done": _done,
    f"{TYPE_PREFIX}Bounced": _bounced,
    f"{TYPE_PREFIX}Reply": _reply,
    f"{TYPE_PREFIX}Drained": _drained,
}
"""The router sends itself Requests after a back-off, and Drained as the limit of draining."""
