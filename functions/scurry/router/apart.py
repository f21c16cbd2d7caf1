"""The messages of a call one by one, after one of them failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from google.protobuf.message import DecodeError

from scurry.endpoint.call import Message
from scurry.router import recovery
from scurry.router.policy import Refusal
from scurry.router.refusing import failed
from scurry.router.routing_pass import RoutingPass
from scurry.router.sending import REQUESTS
from scurry.wire.addresses import parse
from scurry.wire.messages_pb2 import Bounced, Request, Requests
from scurry.wire.names import ROUTER, TYPE_PREFIX

log = logging.getLogger(__name__)

Take = Callable[[RoutingPass, Message], None]


def from_outside(message: Message) -> bool:
    """Whether these are new requests, which no router has seen before."""
    return message.typename == REQUESTS and not (message.caller is not None and message.caller[0] == ROUTER)


def take_apart(routing: RoutingPass, messages: Sequence[Message], take: Take) -> None:
    """Each request and each other message by itself: what fails is answered and put aside, the rest goes on."""
    for message in messages:
        if from_outside(message):
            group = _requests_in(routing, message)
            for request in group.requests:
                dispatch = partial(routing.dispatch, [request], _alone(request), replayed=group.replayed)
                _attempt(routing, message, dispatch, [request])
        else:
            _attempt(routing, message, partial(take, routing, message), None)


def _requests_in(routing: RoutingPass, message: Message) -> Requests:
    try:
        return Requests.FromString(message.value)
    except DecodeError as failure:
        routing.answers.unreadable(message, failure)
        return Requests()


def _alone(request: Request) -> bytes:
    return Requests(requests=[request]).SerializeToString()


def _attempt(
    routing: RoutingPass, message: Message, act: Callable[[], None], requests: Sequence[Request] | None
) -> None:
    before = routing.mark()
    try:
        act()
    except Exception as failure:
        log.exception("model %s: a message of type %s failed", routing.model, message.typename)
        routing.undo(before)
        why = Refusal("internal", f"The router failed on it: {type(failure).__name__}: {failure}")
        version, concerned = _carried(message) if requests is None else ("", requests)
        for request in concerned:
            failed(routing.table, version, why.code)
            routing.answers.bury(request, request.version, why)
        if not concerned:
            routing.answers.unreadable(message, failure)


def _carried(message: Message) -> tuple[str, Sequence[Request]]:
    """The requests that would be lost with a message of the router's own, or with one that bounced; whose they are."""
    try:
        if message.typename == REQUESTS:
            again = Requests.FromString(message.value)
            return again.version, again.requests
        if message.typename == f"{TYPE_PREFIX}Bounced":
            bounced = Bounced.FromString(message.value)
            back, address = recovery.lost(bounced), parse(bounced.address)
            return address.version if address else back.version, () if back.expected else back.requests
    except DecodeError:
        pass
    return "", ()
