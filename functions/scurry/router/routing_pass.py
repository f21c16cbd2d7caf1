"""One pass of the router: requests out to lanes, replies to the egress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scurry.endpoint.call import Call, State
from scurry.router import finding, policy, sending, steps
from scurry.router.answers import LATE, NO_PRIORITY, Answers, overloaded, unreachable
from scurry.router.lanes import Lanes
from scurry.router.policy import Bounds, Refusal
from scurry.router.routes import RouteTable, must_wait
from scurry.wire.messages_pb2 import Request

Mark = tuple[tuple[int, ...], int, bytes | None, int, int]


class RoutingPass:
    """The routes of one model during one call; `close` says what is left to say."""

    __slots__ = ("answers", "bounced", "bounds", "call", "model", "now", "table", "unrouted")

    def __init__(self, call: Call, now: int, table: RouteTable, bounds: Bounds) -> None:
        self.call = call
        self.model = call.key
        self.now = now
        self.table = table
        self.answers = Answers(call)
        self.bounds = bounds
        self.bounced = 0  # requests that came back in this pass
        self.unrouted: list[tuple[int, Request, Refusal]] = []  # since when they wait, and what they wait for

    def dispatch(
        self, requests: Sequence[Request], raw: bytes, since: int = 0, *, replayed: bool = False, due: int | None = None
    ) -> None:
        """Route requests, held `since` then; `raw` are the same serialised: those bytes go on where all go one way.

        `due` is the first deadline of requests that are known to be plain, or 0; None: they are looked at.
        """
        if why := must_wait(self.table, self.now, self.bounds.hold_ms, self.unrouted, since=since, replayed=replayed):
            self.unrouted.extend([(since, each, LATE if self.late(each) else why) for each in requests])
            return
        if len(self.table.weights) == 1:
            due = due_if_plain(requests) if due is None else due
            if due is not None and not 0 < due <= self.now:
                self._forward(self.table[self.table.weights[0][0]], requests, raw, due)
                return
        ways: dict[str, list[Request]] = {}
        for request in requests:
            if isinstance(choice := self.choose(request), Refusal):
                self.unrouted.append((since, request, choice))
            else:
                ways.setdefault(choice.version, []).append(request)
        for version, way in ways.items():
            self._forward(self.table[version], way, raw if len(way) == len(requests) else None)

    def choose(self, request: Request) -> Lanes | Refusal:
        """The version that answers a request, or why none does."""
        if request.defect:
            return Refusal("bad_request", request.defect)
        if request.priority:
            return NO_PRIORITY
        if self.late(request):
            return LATE
        if request.version:
            return finding.resolve(self.table, request.version)
        if not self.table.weights:
            return finding.nothing_ready(self.table)
        return self.table[policy.pick(self.table.weights, steps.sticky(self.table, request))]

    def late(self, request: Request) -> bool:
        """Whether the request's deadline has passed; a step of a sequence is computed all the same."""
        return 0 < request.deadline <= self.now and not self.table.sequences

    def _forward(self, lanes: Lanes, requests: Sequence[Request], raw: bytes | None, due: int | None = None) -> None:
        """Send requests to the lanes of a version, `raw` being the same serialised; refuse those without room."""
        if lanes.function and not self.bounds.reaches(lanes.function):
            for request in requests:
                self.answers.refuse(request, unreachable(lanes.function))
            return
        if lanes.sequences:
            steps.send(self, lanes, requests)
            return
        outstanding = lanes.outstanding
        count = min(len(requests), max(0, lanes.room.keep_to(self.bounds.queue_ms) - sum(outstanding)))
        parts = lanes.room.spread(outstanding, count) if count else []
        if len(parts) == 1 and parts[0][1] == len(requests):
            lanes.count(count)
            sending.send(self.call, self.table, lanes, parts[0][0], requests, raw=raw, due=due, now=self.now)
            return
        at = 0
        for lane, size in parts:
            self.send(lanes, lane, requests[at : at + size], None, due)
            at += size
        lanes.count(at)
        if at < len(requests):
            self._overflow(lanes, requests[at:])

    def _overflow(self, lanes: Lanes, requests: Sequence[Request]) -> None:
        """No lane has room, each is to report: what somebody waits for is refused, bulk waits in a lane's mail."""
        refusal = overloaded(lanes.version, sum(lanes.outstanding))
        bulk = [request for request in requests if request.bulk]
        for request in [request for request in requests if not request.bulk]:
            self.answers.refuse(request, refusal)
        lanes.refuse(len(requests) - len(bulk))
        self.table.changed = True
        if bulk:
            lanes.count(len(bulk))
            self.send(lanes, lanes.emptiest, bulk)
        sending.ask_for_reports(self.call, self.table, lanes)

    def send(
        self, lanes: Lanes, lane: int, requests: Sequence[Request], raw: bytes | None = None, due: int | None = None
    ) -> None:
        """One message to one lane; `raw` are the same requests serialised, no deadline is before `due`."""
        sending.send(self.call, self.table, lanes, lane, requests, raw=raw, due=due, now=self.now)

    def mark(self) -> Mark:
        """How things stand; `undo` goes back to it."""
        return self.call.mark(), self.answers.mark(), self.table.save(), self.bounced, len(self.unrouted)

    def undo(self, mark: Mark) -> None:
        """Take back all that was said and counted since a mark."""
        said, answered, saved, self.bounced, unrouted = mark
        del self.unrouted[unrouted:]
        self.call.undo(said)
        self.answers.undo(answered)
        self.table = RouteTable.load(saved)
        self.table.changed = self.table.settled = True

    def close(self, state: State) -> bytes | None:
        """Send the replies, keep the state if it changed; returns the state in force."""
        self.answers.flush()
        if not self.table.changed:
            return self.call.state
        self.call.keep(state, saved := self.table.save())
        return saved


def due_if_plain(requests: Iterable[Request]) -> int | None:
    """The first deadline, or 0, where nothing but the model tells where these requests go; else None."""
    due = 0
    for request in requests:
        if request.version or request.priority or request.defect:
            return None
        deadline = request.deadline
        if deadline > 0 and (deadline < due or not due):
            due = deadline
    return due
