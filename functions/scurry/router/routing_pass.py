"""One pass of the router: requests out to lanes, replies to the egress."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call, State
from scurry.router import policy
from scurry.router.answers import LATE, Answers, overloaded
from scurry.router.policy import Refusal
from scurry.router.routes import Lanes, RouteTable
from scurry.wire.addresses import Lane
from scurry.wire.messages_pb2 import Request, Requests
from scurry.wire.names import INFERENCE, TYPE_PREFIX

log = logging.getLogger(__name__)

REQUESTS: Final = f"{TYPE_PREFIX}Requests"


class RoutingPass:
    """The routes of one model during one call; `close` says what is left to say."""

    __slots__ = ("answers", "bounced", "call", "model", "now", "table")

    def __init__(self, call: Call, now: int, table: RouteTable) -> None:
        self.call = call
        self.model = call.key
        self.now = now
        self.table = table
        self.answers = Answers(call)
        self.bounced = 0  # requests that came back in this pass

    def dispatch(self, raw: bytes) -> None:
        """Route the requests of a serialised `Requests`; the bytes are forwarded as they came where all go one way."""
        try:
            requests = Requests.FromString(raw).requests
        except DecodeError:
            log.exception("a message to model %s is no Requests and is dropped", self.model)
            return
        weights = self.table.weights
        if len(weights) == 1 and self._plain(requests):
            self._forward(weights[0][0], requests, raw)
            return
        ways: dict[str, list[Request]] = {}
        for request in requests:
            choice = self._choose(request, weights)
            if isinstance(choice, str):
                ways.setdefault(choice, []).append(request)
            else:
                self.answers.refuse(request, choice)
        for version, way in ways.items():
            self._forward(version, way, raw if len(way) == len(requests) else None)

    def _choose(self, request: Request, weights: Sequence[tuple[str, int]]) -> str | Refusal:
        if request.defect:
            return Refusal("bad_request", request.defect)
        if self.late(request):
            return LATE
        if request.version:
            return self.table.resolve(request.version)
        if not weights:
            return self.table.nothing_ready()
        return policy.pick(weights, request.key or request.id)

    def _plain(self, requests: Iterable[Request]) -> bool:
        """Whether nothing but the model tells where these requests go, and none is late."""
        now = self.now
        for request in requests:  # noqa: SIM110 - a generator would cost as much as the rest
            if request.version or 0 < request.deadline <= now or request.defect:
                return False
        return True

    def late(self, request: Request) -> bool:
        """Whether the request's deadline has passed."""
        return 0 < request.deadline <= self.now

    def _forward(self, version: str, requests: Sequence[Request], raw: bytes | None) -> None:
        """Send requests to the lanes of a version, `raw` being the same serialised; refuse those without room."""
        lanes = self.table.lanes(version)
        if lanes is None or not requests:
            return
        parts = policy.spread(lanes.outstanding, len(requests), lanes.max_batch_size)
        if len(parts) == 1 and parts[0][1] == len(requests):
            self.send(lanes, parts[0][0], requests, raw)
            return
        at = 0
        for lane, size in parts:
            self.send(lanes, lane, requests[at : at + size])
            at += size
        if at < len(requests):
            self._overflow(lanes, requests[at:])

    def _overflow(self, lanes: Lanes, requests: Sequence[Request]) -> None:
        """No lane has room: what somebody waits for is refused, bulk requests wait in the lane's mail."""
        refusal = overloaded(lanes.version, sum(lanes.outstanding))
        bulk: list[Request] = []
        for request in requests:
            if request.bulk:
                bulk.append(request)
            else:
                self.answers.refuse(request, refusal)
        lanes.refuse(len(requests) - len(bulk))
        self.table.changed = True
        if bulk:
            self.send(lanes, lanes.emptiest, bulk)

    def send(self, lanes: Lanes, lane: int, requests: Sequence[Request], raw: bytes | None = None) -> None:
        """One message to one lane; `raw` are the same requests serialised."""
        self.table.changed = True
        sequence, report = lanes.send(lane, len(requests))
        if lanes.route.function:
            _send_to_user_function(self, lanes, lane, requests)
            return
        if raw is None:
            raw = Requests(requests=requests).SerializeToString()
        self.send_trailer(lanes, lane, sequence, report=report, raw=raw)

    def send_trailer(self, lanes: Lanes, lane: int, sequence: int, *, report: bool, raw: bytes = b"") -> None:
        """Serialised requests with the router's own fields behind: together one serialised `Requests`."""
        trailer = Requests(sequence=sequence, report=report, epoch=self.table.epoch)
        address = str(Lane(self.model, lanes.version, lane))
        self.call.send(INFERENCE, address, REQUESTS, b"".join((raw, lanes.stamp, trailer.SerializeToString())))

    def close(self, state: State) -> bytes | None:
        """Send the replies, keep the state if it changed; returns the state in force."""
        self.answers.flush()
        if not self.table.changed:
            return self.call.state
        saved = self.table.save()
        self.call.keep(state, saved)
        return saved


def _send_to_user_function(routing: RoutingPass, lanes: Lanes, lane: int, requests: Iterable[Request]) -> None:
    """A user's own function takes one request per message, told its version."""
    route = lanes.route
    address = str(Lane(routing.model, route.version, lane))
    for request in requests:
        told = Request()
        told.CopyFrom(request)
        told.version, told.epoch = route.version, routing.table.epoch
        routing.call.send(route.function, address, f"{TYPE_PREFIX}Request", told.SerializeToString())
