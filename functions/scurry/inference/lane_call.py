"""What one call brings for one lane, and how it is answered as a whole.

A call carries every message that piled up while its lane was busy. However it ends, each request gets one reply, and
the router hears `Done` exactly once if any of the messages asked for a report.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Final

from scurry.inference import reports
from scurry.inference.answers import send_replies
from scurry.inference.items import BatchItem
from scurry.inference.loads import report_broken
from scurry.inference.shadowing import send_copies
from scurry.inference.stages import Stages
from scurry.inference.starting import answered
from scurry.telemetry.logs import about
from scurry.wire.addresses import Lane, Solo, parse
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.messages_pb2 import Bounced, DeadLetter, Done, Load, Requests, Unload
from scurry.wire.names import EGRESS, MOST_LANES, ROUTER, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.endpoint.call import Call
    from scurry.inference.layouts import LayoutCache
    from scurry.runtimes.port import Port
    from scurry.wire.errors import ScurryError
    from scurry.wire.messages_pb2 import Answered, Expected, Graph, ModelSpec, Request

log = logging.getLogger(__name__)

REQUESTS: Final = f"{TYPE_PREFIX}Requests"
DONE: Final = f"{TYPE_PREFIX}Done"
DEAD_LETTER: Final = f"{TYPE_PREFIX}DeadLetter"
BOUNCED: Final = f"{TYPE_PREFIX}Bounced"
CHANGES: Final[dict[str, type[Load | Unload]]] = {f"{TYPE_PREFIX}Load": Load, f"{TYPE_PREFIX}Unload": Unload}


class Work:
    """Requests of a call that one registration of the version answers."""

    __slots__ = ("alike", "arrived", "broken", "copied", "expected", "graph", "items", "ports", "requests", "spec")

    def __init__(self, spec: ModelSpec, requests: list[Request]) -> None:
        self.spec, self.requests = spec, requests
        self.arrived = [(requests[0].entry, len(requests))]  # of each message: its first entry, how many requests
        self.items: list[BatchItem] | None = None  # None: not claimed yet
        self.alike = 0  # rows of each, if all look alike
        self.broken = ""  # why the model cannot be mended
        self.graph: tuple[Graph, LayoutCache] | None = None  # what answers instead of a model
        self.ports: Sequence[Port] = ()  # the model's outputs, once it has run
        self.copied: list[tuple[int, int, str]] = []  # requests from, to: that version gets copies
        self.expected: list[Expected] = []  # of copies: what callers got

    def fail(self, failure: ScurryError) -> None:
        """Fail what has no answer yet."""
        failure = failure.kept()
        if self.items is None:
            self.items = [BatchItem(request) for request in self.requests]
        for item in self.items:
            if item.failure is None and (item.parked or not item.body):
                item.failure = failure

    def fail_unforeseen(self, key: str, cause: Exception) -> None:
        """A fault of our own: whoever has no answer yet is told so."""
        first = self.requests[0].id if self.requests else ""
        log.error("%s failed", key, exc_info=cause, extra=about(first, key.partition("@")[0], of=len(self.requests)))
        self.fail(Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}"))

    @property
    def rows(self) -> int:
        """Rows that the requests bring, one for each that has none; before they are claimed, one for each request."""
        if self.items is None:
            return len(self.requests)
        if self.alike:
            return self.alike * len(self.items)
        return sum([max(1, item.layout.rows) if item.layout is not None else 1 for item in self.items])

    def __repr__(self) -> str:
        return f"<Work of {len(self.requests)} requests for {self.spec.identity or 'any'}>"


class LaneCall:
    """The requests of one call, and the loads and unloads among them."""

    __slots__ = (
        "address", "busy", "cache_hits", "cache_misses", "call", "changes", "model", "report", "requests", "returned",
        "sequence", "sizes", "solo", "stages", "suspicious", "told", "version", "works",
    )  # fmt: skip

    def __init__(self, call: Call) -> None:
        self.call = call
        self.address = address = parse(call.key)
        self.model, self.version = (address.model, address.version) if address else (call.key, "")
        self.works: list[Work] = []
        self.requests = 0  # how many there are
        self.changes: list[Load | Unload] = []
        self.sequence = 0
        self.busy = 0.0  # seconds of computing
        self.cache_hits = self.cache_misses = 0  # requests that memory had an answer for, and had none for
        self.stages, start = Stages(), perf_counter()
        self.told: Answered | None = None  # what it was answered, once it is
        self.sizes: list[int] = []  # requests in each call of the model
        self.report = self.returned = False
        self.suspicious = False  # a request of it was shown to end the process that computes it
        self.solo = isinstance(address, Solo)
        for message in call.messages:
            try:
                self._read(message.typename, message.value)
            except Exception:  # whatever it is, it would be the same the next time: the rest of the call goes on
                log.exception("%s: a message that is no %s was left out", call.key, message.typename)
        self.stages.input = perf_counter() - start
        if address is None:
            self._refuse()

    def _read(self, typename: str, value: bytes) -> None:
        if typename == REQUESTS:
            requests = Requests.FromString(value)
            self.report |= requests.report
            self.solo |= requests.solo
            self.sequence = max(self.sequence, requests.sequence)
            self.requests += 0 if requests.expected else len(requests.requests)
            if requests.requests:
                _add(self.works, requests)
        elif typename in CHANGES:
            self.changes.append(CHANGES[typename].FromString(value))
        else:
            log.error("%s: a message of unknown type %s was left out", self.call.key, typename)

    def _refuse(self) -> None:
        log.error("%s is no address: %r", self.call.key, self)
        self.changes.clear()
        self.fail(Failed("internal", f"{self.call.key!r} is no address of a model."))

    @property
    def level(self) -> int:
        """The level of priority at which its lane waits, 0 first of all."""
        return self.address.lane // MOST_LANES if isinstance(self.address, Lane) else 0

    @property
    def key(self) -> tuple[str, str]:
        """Model and version."""
        return self.model, self.version

    def fail(self, failure: ScurryError) -> None:
        """Fail what has no answer yet."""
        for work in self.works:
            work.fail(failure)

    def send_back(self, work: Work, cause: str) -> None:
        """Let the router choose anew for requests that this worker must not answer. Copies are not worth it."""
        if work.expected:
            work.fail(Unavailable("unavailable", cause))
            return
        back = Requests(requests=work.requests, spec=work.spec, version=self.version, sequence=self.sequence)
        back.solo = self.solo
        bounced = Bounced(message=back.SerializeToString(), typename=REQUESTS, address=self.call.key, cause=cause)
        self.call.send(ROUTER, self.model, BOUNCED, bounced.SerializeToString())
        self.works.remove(work)
        self.requests -= len(work.requests)
        self.returned = True

    def bury(self, work: Work, item: BatchItem, failure: ScurryError) -> None:
        """Answer a request for good and keep it as it came; what is parked for it stays, for it may be sent again."""
        item.fail(failure)
        if work.expected:  # nobody misses a copy
            return
        item.consumed = ()
        request = item.request
        log.warning("a request is buried", extra=about(request.id, self.model, version=self.version, code=failure.code))
        letter = DeadLetter(request=request, cause=f"{failure.code}: {failure.message}", attempts=request.attempt + 1)
        for field in ("attempt", "blame"):
            letter.request.ClearField(field)
        self.call.egress(EGRESS, DEAD_LETTER, letter.SerializeToString())

    def finish(self, now_ms: int) -> None:
        """Write the call's answer: the replies to the egress, the report to the router, or what it counted kept."""
        start = perf_counter()
        for work in self.works:
            send_copies(self, work)
        works = [work for work in self.works if not work.expected]
        items = [item for work in works for item in answered(self.call, work, self.version)]
        if items:
            send_replies(self.call, items, self.model, self.version)
        self.stages.output += perf_counter() - start
        for work in self.works:
            if work.broken:
                report_broken(self.call, self.key, work.spec, work.broken)
        latest = self.told = reports.answered(self, now_ms) if self.works else None
        if self.report and not (self.returned and isinstance(self.address, Solo)):
            lane = self.address.lane if isinstance(self.address, Lane) else -1
            done = Done(version=self.version, lane=lane, sequence=self.sequence, suspicious=self.suspicious)
            reports.report(self.call, done, latest)
            self.call.send(ROUTER, self.model, DONE, done.SerializeToString())
        elif latest is not None:
            reports.keep(self.call, latest)

    def __repr__(self) -> str:
        return f"<LaneCall {self.call.key}: {self.requests} requests, {len(self.changes)} changes>"


def _add(works: list[Work], requests: Requests) -> None:
    """Requests are answered by exactly the registration that they were sent to; copies are a work of their own."""
    spec, copies = requests.spec, bool(requests.expected)
    for work in works:
        same = work.spec.identity == spec.identity and work.spec.generation == spec.generation
        if same and bool(work.expected) is copies:
            work.arrived.append((requests.requests[0].entry, len(requests.requests)))
            work.requests.extend(requests.requests)
            break
    else:
        work = Work(spec, list(requests.requests))
        works.append(work)
    work.expected.extend(requests.expected)
    if requests.shadow:
        work.copied.append((len(work.requests) - len(requests.requests), len(work.requests), requests.shadow))
