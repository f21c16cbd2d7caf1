"""The gateway's spans."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scurry.gateway.spans import CallSpan
from scurry.telemetry.tracing import Tracing
from scurry.wire.errors import NotFound

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def spans_of(outcome) -> list:
    """What a call leaves that ends so."""
    exporter = InMemorySpanExporter()
    tracing = Tracing("gateway", 1.0, exporter)
    future = asyncio.get_running_loop().create_future()
    span = CallSpan(tracing, "m", "r-1", PARENT)
    assert span.traceparent[:35] == PARENT[:35]
    assert span.traceparent != PARENT
    future.add_done_callback(span)
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    elif outcome is None:
        future.cancel()
    else:
        future.set_result(outcome)
    await asyncio.wait([future])
    if outcome is not None and isinstance(outcome, Exception):
        future.exception()
    await asyncio.sleep(0)
    tracing.close()
    return list(exporter.get_finished_spans())


async def test_a_reply_is_a_span_in_the_calls():
    """From its entry in Redis on."""
    reply, root = await spans_of({b"status": b"ok", b"version": b"2", b"entry": b"1700000000123-0"})
    assert (reply.name, reply.parent.span_id) == ("reply", root.context.span_id)
    assert reply.start_time == 1_700_000_000_123_000_000
    assert root.name == "infer m"
    assert {"scurry.request": "r-1", "scurry.version": "2", "scurry.code": "ok"}.items() <= root.attributes.items()
    assert root.status.is_ok


@pytest.mark.parametrize(("outcome", "code"), [
    ({b"status": b"error", b"error": b"input_shape"}, "input_shape"), (NotFound("model_not_found", "No."),
     "model_not_found"), (None, "cancelled"), (OSError(), "internal"),
])  # fmt: skip
async def test_a_failure_is_told_by_its_code(outcome, code):
    """However it came."""
    (root,) = await spans_of(outcome)
    assert root.attributes["scurry.code"] == code
    assert not root.status.is_ok
