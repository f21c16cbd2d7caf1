"""Spans of functions, found in the bytes of their messages."""

from __future__ import annotations

from typing import Any

from scurry.endpoint.call import Call, Message
from scurry.endpoint.traced import Traced
from scurry.wire.messages_pb2 import Request, Requests

CONTEXTS = [f"00-{number:032x}-{number:016x}-{flags}" for number, flags in ((1, "01"), (2, "00"), (3, "01"))]


class Echo:
    """Answers every call."""

    typename, state = "scurry/echo", None

    async def serve(self, calls: Any, done: Any) -> None:
        for call in calls:
            done(call)


class Recorder:
    """Stands in for `Tracing`."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, Any]] = []

    def record(self, name: str, traceparent: str, told: Any, *, since: float, until: float) -> None:
        assert since <= until
        self.spans.append((name, traceparent, told))


async def test_each_traced_request_of_a_call_has_a_span():
    """Once, however often its context comes; those that are not sampled have none."""
    requests = Requests(requests=[Request(id="r", model="m", body=b"x" * 300, traceparent=each) for each in CONTEXTS])
    message = Message("scurry.v1/Requests", requests.SerializeToString())
    recorder, answered = Recorder(), []
    traced = Traced(Echo(), "route", recorder)  # type: ignore[arg-type]
    plain = Call("scurry/echo", "n", [Message("t", b"nothing")])
    await traced.serve([Call("scurry/echo", "m", [message, message]), plain], answered.append)
    assert [call.key for call in answered] == ["m", "n"]
    assert [(name, context) for name, context, _ in recorder.spans] == [("route", CONTEXTS[0]), ("route", CONTEXTS[2])]
    assert recorder.spans[0][2] == {"scurry.function": "scurry/echo", "scurry.key": "m", "scurry.messages": 2}
    assert (traced.typename, traced.state) == ("scurry/echo", None)


async def test_a_span_that_fails_costs_no_answer(caplog):
    """It is in the log."""
    requests = Requests(requests=[Request(traceparent=CONTEXTS[0])]).SerializeToString()
    answered: list[Call] = []
    traced = Traced(Echo(), "route", object())  # type: ignore[arg-type]
    await traced.serve([Call("scurry/echo", key, [Message("t", requests)]) for key in "ab"], answered.append)
    assert [call.key for call in answered] == ["a", "b"]
    assert "leaves no spans" in caplog.text
