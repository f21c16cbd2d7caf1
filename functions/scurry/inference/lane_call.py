"""What one call brings for one lane, and how it is answered as a whole.

A call carries every message that piled up while its lane was busy. However it ends, each request gets one reply, and
the router hears `Done` exactly once if any of the messages asked for a report.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from scurry.inference.answers import write_replies
from scurry.inference.items import BatchItem
from scurry.wire.addresses import Lane, Solo, parse
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Done, Load, ModelSpec, Requests, Unload
from scurry.wire.names import EGRESS, ROUTER, TYPE_PREFIX

if TYPE_CHECKING:
    from scurry.endpoint.call import Call
    from scurry.wire.errors import ScurryError
    from scurry.wire.messages_pb2 import Request

log = logging.getLogger(__name__)

REQUESTS: Final = f"{TYPE_PREFIX}Requests"
REPLIES: Final = f"{TYPE_PREFIX}Replies"
DONE: Final = f"{TYPE_PREFIX}Done"
CHANGES: Final[dict[str, type[Load | Unload]]] = {f"{TYPE_PREFIX}Load": Load, f"{TYPE_PREFIX}Unload": Unload}
NO_SPEC: Final = ModelSpec()


class LaneCall:
    """The requests of one call, and the loads and unloads among them."""

    __slots__ = (
        "address",
        "call",
        "changes",
        "items",
        "model",
        "report",
        "requests",
        "sequence",
        "solo",
        "spec",
        "version",
    )

    def __init__(self, call: Call) -> None:
        self.call = call
        self.address = address = parse(call.key)
        self.model, self.version = (address.model, address.version) if address else (call.key, "")
        self.requests: list[Request] = []
        self.items: list[BatchItem] | None = None  # None: not claimed yet
        self.changes: list[Load | Unload] = []
        self.spec = NO_SPEC
        self.sequence = 0
        self.report = False
        self.solo = isinstance(address, Solo)
        for message in call.messages:
            try:
                self._read(message.typename, message.value)
            except Exception:  # whatever it is, it would be the same the next time: the rest of the call goes on
                log.exception("%s: a message that is no %s was left out", call.key, message.typename)
        if address is None:
            self._refuse()

    def _read(self, typename: str, value: bytes) -> None:
        if typename == REQUESTS:
            requests = Requests.FromString(value)
            self.requests.extend(requests.requests)
            self.report |= requests.report
            self.solo |= requests.solo
            self.sequence = max(self.sequence, requests.sequence)
            if requests.spec.generation >= self.spec.generation:
                self.spec = requests.spec
        elif typename in CHANGES:
            self.changes.append(CHANGES[typename].FromString(value))
        else:
            log.error("%s: a message of unknown type %s was left out", self.call.key, typename)

    def _refuse(self) -> None:
        log.error("%s is no address: %r", self.call.key, self)
        self.changes.clear()
        self.fail(Failed("internal", f"{self.call.key!r} is no address of a model."))
        self.requests.clear()

    @property
    def key(self) -> tuple[str, str]:
        """Model and version."""
        return self.model, self.version

    def fail(self, failure: ScurryError) -> None:
        """Fail what has no answer yet."""
        if self.items is None:
            self.items = [BatchItem(request) for request in self.requests]
        for item in self.items:
            if item.failure is None and (item.parked or not item.body):
                item.failure = failure

    def finish(self) -> None:
        """Write the call's answer: the replies to the egress, the report to the router."""
        if self.items:
            self.call.egress(EGRESS, REPLIES, write_replies(self.items, self.model, self.version))
        if self.report:
            lane = self.address.lane if isinstance(self.address, Lane) else -1
            done = Done(version=self.version, lane=lane, sequence=self.sequence)
            self.call.send(ROUTER, self.model, DONE, done.SerializeToString())

    def __repr__(self) -> str:
        return f"<LaneCall {self.call.key}: {len(self.requests)} requests, {len(self.changes)} changes>"
