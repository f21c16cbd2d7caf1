"""Traces by OpenTelemetry, which is imported only when they are on.

What is traced is decided once, where a request comes in, and travels with it as W3C trace context. Spans of all other
processes are children of the gateway's: what a replay repeats has a parent that was told long ago.
"""

from __future__ import annotations

import random
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
CLOSE_S: Final = 3.0
_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_ZEROS: Final = ("0" * 32, "0" * 16)


class Tracing:
    """Makes spans of one process and sends them, in the background and many at a time."""

    def __init__(self, process: str, share: float, exporter: Any = None) -> None:  # noqa: ANN401 - a SpanExporter
        """A `share` of the requests that bring no context is traced. Raises `ImportError` without OpenTelemetry."""
        from opentelemetry import trace  # noqa: PLC0415 - half a second, for those who trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider, export  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415

        self._api, self.share = trace, share
        resource = Resource.create({"service.name": f"scurry-{process}"})
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(export.BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("scurry")

    def wants(self, traceparent: str) -> bool:
        """Whether a request is to be traced: as its caller says, else as chance has it."""
        if traceparent:
            return is_sampled(traceparent)
        return self.share > 0 and random.random() < self.share

    def start(self, name: str, traceparent: str, told: Mapping[str, Any], *, server: bool = False) -> Any:  # noqa: ANN401
        """A span that began now; end it with its own `end()`."""
        kind = self._api.SpanKind.SERVER if server else self._api.SpanKind.INTERNAL
        return self._tracer.start_span(name, self._context(traceparent), kind=kind, attributes=dict(told))

    def record(
        self,
        name: str,
        traceparent: str,
        told: Mapping[str, Any],
        *,
        since: float,
        until: float,
        links: Iterable[str] = (),
    ) -> str:
        """A span that is over, in seconds since 1970, linked to others; returns its own context."""
        linked = [self._api.Link(context) for context in map(self._remote, links) if context is not None]
        span = self._tracer.start_span(
            name, self._context(traceparent), attributes=dict(told), links=linked, start_time=_nanos(since)
        )
        span.end(_nanos(max(since, until)))
        return context_of(span)

    def _remote(self, traceparent: str) -> Any:  # noqa: ANN401 - a SpanContext, or None
        found = _PARENT.fullmatch(traceparent)
        if found is None or found[1] == _ZEROS[0] or found[2] == _ZEROS[1]:
            return None
        flags = self._api.TraceFlags(int(found[3], 16))
        return self._api.SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)

    def _context(self, traceparent: str) -> Any:  # noqa: ANN401 - a Context
        parent = self._remote(traceparent)
        from opentelemetry.context import Context  # noqa: PLC0415 - it is there by now

        return Context() if parent is None else self._api.set_span_in_context(
            self._api.NonRecordingSpan(parent), Context()
        )

    def close(self) -> None:
        """Send what is left, but wait no longer than for a collector that is there."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_S)

    def __repr__(self) -> str:
        return f"<Tracing {self.share:g} of the requests>"


def _nanos(seconds: float) -> int:
    """To the microsecond: a float has no more."""
    return round(seconds * 1e6) * 1000


def is_on(share: float, environ: Mapping[str, str]) -> bool:
    """Whether there are traces: some are begun here, or there is a place for those that callers begin."""
    return share > 0 or any(environ.get(name) for name in ENDPOINTS)


def is_sampled(traceparent: str) -> bool:
    """Whether a W3C context says that its trace is kept."""
    found = _PARENT.fullmatch(traceparent)
    return found is not None and int(found[3], 16) & 1 == 1


def context_of(span: Any) -> str:  # noqa: ANN401 - a Span
    """The W3C context by which others are a span's children."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def begun_at(entry: str) -> float:
    """When a request came to Redis, by the id of its entry; now where that is no time."""
    written = entry[entry.rfind("/") + 1 : entry.rfind("-")]
    return int(written) / 1000 if written.isdecimal() and len(written) < 15 else time.time()


def distinct(contexts: Iterable[str]) -> Sequence[str]:
    """Each context once, in order."""
    return list(dict.fromkeys(contexts))
