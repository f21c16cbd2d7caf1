"""One pass of the router: requests out to lanes, replies to the egress."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.endpoint.call import Call, State
from scurry.router import finding, refusing, sending, split, steps
from scurry.router.admission import level_of
from scurry.router.answers import LATE, NEGATIVE, Answers, overloaded
from scurry.router.lanes import Lanes
from scurry.router.policy import Bounds, Refusal
from scurry.router.routes import RouteTable, must_wait
from scurry.router.ways import Ways
from scurry.wire.messages_pb2 import Request, Requests
from scurry.wire.names import INFERENCE

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
        if replayed and not all(request.replayed for request in requests):
            raw = stamped(requests)
        if why := must_wait(self.table, self.now, self.bounds.hold_ms, self.unrouted, since=since, replayed=replayed):
            self.unrouted.extend([(since, each, LATE if self.late(each) else why) for each in requests])
            return
        if len(self.table.weights) == 1:
            lanes = self.table[self.table.weights[0][0]]
            due = due_if_plain(requests) if due is None else due
            if due is not None and lanes.admission is None and not 0 < due <= self.now:
                self._forward(lanes, requests, raw, due, level_of(requests[0], None) if requests else 0)
                return
        ways = Ways(self.table.state.tenants, self.now, self.late)
        ways.sort(requests, self.choose)
        self.table.changed |= bool(self.table.state.tenants)  # a token may have been taken
        self.unrouted.extend((since, request, refusal) for request, refusal in ways.refused)
        for (version, level), way in ways.sorted.items():
            whole = len(way) == len(requests) and not ways.touched
            self._forward(self.table[version], way, raw if whole else None, level=level)

    def choose(self, request: Request) -> Lanes | Refusal:
        """The version that answers a request, or why none does."""
        if request.defect:
            return Refusal("bad_request", request.defect)
        if request.priority < 0:
            return NEGATIVE
        if self.late(request):
            return LATE
        if request.version:
            return finding.resolve(self.table, request.version)
        if not self.table.weights:
            return finding.nothing_ready(self.table)
        experiment = f"{self.model}/{self.table.routes.experiment}"
        return self.table[split.pick(self.table.weights, experiment, steps.sticky(self.table, request))]

    def late(self, request: Request) -> bool:
        """Whether the request's deadline has passed; a step of a sequence is computed all the same."""
        return 0 < request.deadline <= self.now and not self.table.sequences

    def _forward(
        self, lanes: Lanes, requests: Sequence[Request], raw: bytes | None, due: int | None = None, level: int = 0
    ) -> None:
        """Send requests to the lanes of a level, `raw` being the same serialised; refuse those without room."""
        fit = self.fit(lanes, requests, new=True)
        if len(fit) < len(requests):
            requests, raw = fit, None
            if not requests:
                return
        if lanes.sequences:
            steps.send(self, lanes, requests)
            return
        outstanding = lanes.outstanding_at(level)
        count = min(len(requests), max(0, lanes.room.keep_to(self.bounds.queue_ms) - sum(outstanding)))
        parts = lanes.spread(level, outstanding, count) if count else []
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
            overflow(self, lanes, requests[at:], level)

    def fit(self, lanes: Lanes, requests: Sequence[Request], *, new: bool = False) -> Sequence[Request]:
        """Those that whoever computes for a version can answer; the others are refused."""
        if lanes.target == INFERENCE or (not lanes.function and self.bounds.reaches(lanes.target)):
            return requests
        return refusing.fit(self, lanes, requests, new=new)

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


def overflow(routing: RoutingPass, lanes: Lanes, requests: Sequence[Request], level: int) -> None:
    """No lane has room, each is to report: what is bulk or replayed waits in a lane's mail, all else is refused."""
    refusal = overloaded(lanes.version, sum(lanes.outstanding_at(level)))
    patient = [request for request in requests if request.bulk or request.replayed]
    for request in requests:
        if not (request.bulk or request.replayed):
            routing.answers.refuse(request, refusal)
    lanes.refuse(len(requests) - len(patient))
    routing.table.changed = True
    if patient:
        lanes.count(len(patient))
        routing.send(lanes, lanes.emptiest(level), patient)
    sending.ask_for_reports(routing.call, routing.table, lanes)


def stamped(requests: Sequence[Request]) -> bytes:
    """Note on requests that they are replayed; returns them serialised.

    They waited for the job, not for their version, and had room once, perhaps: the ingress has few of them at a time.
    """
    for request in requests:
        request.replayed = True
    return Requests(requests=requests).SerializeToString()


def due_if_plain(requests: Sequence[Request]) -> int | None:
    """The first deadline, or 0, where nothing but the model tells where these go, all bulk or none; else None."""
    due, bulk = 0, bool(requests) and requests[0].bulk
    for request in requests:
        if request.version or request.priority or request.defect or request.bulk is not bulk:
            return None
        deadline = request.deadline
        if deadline > 0 and (deadline < due or not due):
            due = deadline
    return due
