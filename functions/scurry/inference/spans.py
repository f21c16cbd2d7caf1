"""A worker's spans: the queue of each traced request, and its batch.

The batch stands in the trace of the first request of it that is traced, with links to all; the others' traces have a
span that is linked to it. Where its time went are attributes.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from scurry.telemetry.tracing import begun_at, is_sampled

if TYPE_CHECKING:
    from scurry.inference.lane_call import LaneCall
    from scurry.telemetry.tracing import Tracing
    from scurry.wire.messages_pb2 import Request

log = logging.getLogger(__name__)


class Spans:
    """Is told of each call that is answered."""

    def __init__(self, tracing: Tracing, worker: str = "") -> None:
        self._tracing, self.worker = tracing, worker

    def note(self, lane_call: LaneCall) -> None:
        """A call is answered, now."""
        requests = [each for work in lane_call.works if not work.expected for each in work.requests]
        traced = [each for each in requests if each.traceparent and is_sampled(each.traceparent)]
        if not traced:
            return
        try:
            self._record(lane_call, traced, len(requests))
        except Exception:  # the others of the exchange are answered all the same
            log.exception("%s leaves no spans", lane_call.call.key)

    def _record(self, lane_call: LaneCall, traced: list[Request], requests: int) -> None:
        stages, now, record = lane_call.stages, time.time(), self._tracing.record
        told = {
            "scurry.model": lane_call.model, "scurry.version": lane_call.version, "scurry.lane": lane_call.call.key,
            "scurry.worker": self.worker, "scurry.batch.requests": requests, "scurry.input_ms": 1000 * stages.input,
            "scurry.compute_ms": 1000 * stages.compute, "scurry.output_ms": 1000 * stages.output,
        }  # fmt: skip
        contexts = [each.traceparent for each in traced]
        batch = record("batch", contexts[0], told, since=stages.came, until=now, links=contexts)
        for at, each in enumerate(traced):
            own = {"scurry.request": each.id, "scurry.attempt": each.attempt}
            record("queue", each.traceparent, own, since=begun_at(each.entry), until=stages.came)
            if at:
                record("batched", each.traceparent, told | own, since=stages.came, until=now, links=[batch])

    def __repr__(self) -> str:
        return f"<Spans of {self.worker or 'a worker'}>"
