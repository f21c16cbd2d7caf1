"""Traces by OpenTelemetry."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scurry.telemetry.tracing import Tracing, begun_at, context_of, distinct, is_on, is_sampled

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Keeps spans."""
    return InMemorySpanExporter()


def test_spans_have_their_parents_and_times(exporter):
    """What began here, and what is told when it is over; a link is another's context."""
    tracing = Tracing("test", 0.0, exporter)
    root = tracing.start("root", PARENT, {"a": "b"}, server=True)
    context = context_of(root)
    tracing.record("part", context, {}, since=10.0, until=9.0, links=[PARENT, "no context"])
    root.end()
    tracing.close()
    part, server = exporter.get_finished_spans()
    assert (server.name, server.parent.span_id, server.kind.name) == ("root", 0xB7AD6B7169203331, "SERVER")
    assert (part.parent.span_id, part.context.trace_id) == (server.context.span_id, server.context.trace_id)
    assert (part.start_time, part.end_time) == (10_000_000_000, 10_000_000_000), "no span ends before it begins"
    assert [link.context.span_id for link in part.links] == [0xB7AD6B7169203331]
    assert is_sampled(context)


def test_a_caller_decides_else_chance(exporter):
    """A context that is none, or all zeros, begins a trace of its own."""
    none, every = Tracing("test", 0.0, exporter), Tracing("test", 1.0, exporter)
    assert (none.wants(""), every.wants("")) == (False, True)
    assert (none.wants(PARENT), every.wants(PARENT[:-2] + "00")) == (True, False)
    for odd in ("junk", f"00-{'0' * 32}-{'0' * 16}-01"):
        every.start("alone", odd, {}).end()
    every.close()  # closes the exporter with it
    none.close()
    assert [span.parent for span in exporter.get_finished_spans()] == [None, None]


@pytest.mark.parametrize(("text", "kept"), [(PARENT, True), (PARENT[:-2] + "00", False), (PARENT[:-2] + "03", True),
                                            ("", False), ("00-1-2-01", False)])  # fmt: skip
def test_the_flag_says_whether_a_trace_is_kept(text, kept):
    """Other flags do not matter."""
    assert is_sampled(text) is kept


def test_it_is_on_by_share_or_place():
    """By our setting or OpenTelemetry's."""
    assert not is_on(0.0, {})
    assert is_on(0.1, {})
    assert is_on(0.0, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o"})


def test_entries_tell_when_requests_came():
    """An id that is no time is taken as now."""
    assert begun_at("scurry:requests/1700000000123-4") == 1700000000.123
    assert begun_at("1700000000123-0") == 1700000000.123
    assert abs(begun_at("s/x-1") - time.time()) < 60
    assert distinct("aba") == ["a", "b"]


def test_nothing_is_imported_while_it_is_off():
    """Neither by a gateway nor by a worker."""
    code = ("import sys, scurry.serving.gateway, scurry.serving.worker, scurry.serving.functions as f; "
            "from scurry.serving.tracing import tracing_of; assert tracing_of('x', 0.0, {}) is None; "
            "print([m for m in sys.modules if m.startswith('opentelemetry')])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
