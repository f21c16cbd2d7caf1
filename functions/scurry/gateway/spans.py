"""The gateway's spans: one for each traced call, one for its reply."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from scurry.client.waiting import ENTRY, Fields
from scurry.telemetry.tracing import begun_at, context_of

if TYPE_CHECKING:
    from scurry.telemetry.tracing import Tracing


class CallSpan:
    """From a call's submission until its reply has come. Called when that is so."""

    __slots__ = ("_span", "_tracing", "traceparent")

    def __init__(self, tracing: Tracing, model: str, request: str, traceparent: str) -> None:
        told = {"scurry.model": model, "scurry.request": request}
        self._tracing, self._span = tracing, tracing.start(f"infer {model}", traceparent, told, server=True)
        self.traceparent = context_of(self._span)

    def __call__(self, replied: asyncio.Future[Fields]) -> None:
        """It is over."""
        code = "cancelled"
        if not replied.cancelled():
            failure = replied.exception()
            code = getattr(failure, "code", "internal") if failure is not None else self._tell(replied.result())
        self._span.set_attribute("scurry.code", code)
        if code != "ok":
            self._span.set_status(_failed(code))
        self._span.end()

    def _tell(self, fields: Fields) -> str:
        """Note which version answered and when; returns the code."""
        self._span.set_attribute("scurry.version", fields.get(b"version", b"").decode(errors="replace"))
        if ENTRY in fields:
            since = begun_at(fields[ENTRY].decode())
            self._tracing.record("reply", self.traceparent, {}, since=since, until=time.time())
        return "ok" if fields.get(b"status") == b"ok" else fields.get(b"error", b"internal").decode(errors="replace")

    def __repr__(self) -> str:
        return f"<CallSpan {self.traceparent}>"


def _failed(code: str) -> Any:  # noqa: ANN401 - OpenTelemetry's
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - there are traces, so it is there

    return Status(StatusCode.ERROR, code)
