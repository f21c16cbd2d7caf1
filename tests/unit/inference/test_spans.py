"""A worker's spans."""

from __future__ import annotations

from typing import Any

from tests.unit.inference.toys import body, call, request, row, sent

from scurry.inference.function import Inference
from scurry.inference.spans import Spans

CONTEXTS = [f"00-{number:032x}-{number:016x}-{flags}" for number, flags in ((1, "01"), (2, "00"), (3, "01"))]


class Recorder:
    """Stands in for `Tracing`."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, dict[str, Any], list[str]]] = []

    def record(
        self, name: str, traceparent: str, told: Any, *, since: float, until: float, links: Any = ()
    ) -> str:
        self.spans.append((name, traceparent, told, list(links)))
        return f"context of {name}"


async def test_a_batch_is_linked_to_its_traced_requests(shelf, payloads):
    """It stands in the trace of the first; the others' spans lead to it; who is not traced has none."""
    recorder = Recorder()
    inference = Inference(shelf, payloads, note=Spans(recorder, "w").note)  # type: ignore[arg-type]
    asked = [request(at, body(x=row(1, 2))) for at in range(4)]
    for each, context in zip(asked, CONTEXTS, strict=False):
        each.traceparent = context
    await inference.serve([call(sent(*asked))], lambda _: None)
    assert [(name, context, links) for name, context, _, links in recorder.spans] == [
        ("batch", CONTEXTS[0], [CONTEXTS[0], CONTEXTS[2]]), ("queue", CONTEXTS[0], []),
        ("queue", CONTEXTS[2], []), ("batched", CONTEXTS[2], ["context of batch"]),
    ]  # fmt: skip
    told = recorder.spans[0][2]
    assert (told["scurry.batch.requests"], told["scurry.worker"]) == (4, "w")
    assert told["scurry.compute_ms"] > 0
    await inference.serve([call(sent(request(9, body(x=row(1, 2)))))], lambda _: None)
    assert len(recorder.spans) == 4


async def test_a_span_that_fails_costs_no_answer(shelf, payloads, caplog):
    """It is in the log."""
    inference = Inference(shelf, payloads, note=Spans(object()).note)  # type: ignore[arg-type]
    asked = [request(0, body(x=row(1, 2)))]
    asked[0].traceparent = CONTEXTS[0]
    answered: list[Any] = []
    await inference.serve([call(sent(*asked))], answered.append)
    assert len(answered) == 1
    assert "leaves no spans" in caplog.text
