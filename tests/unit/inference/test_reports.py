"""What a call counts, and what its lane has not reported yet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.inference.toys import call, kept, mail, request, sent

from scurry.inference import reports
from scurry.inference.lane_call import LaneCall
from scurry.router.policy import REPORT_EVERY
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.messages_pb2 import Answered, Done, InferenceState

NOW = 10_000


def group(*entries: str) -> object:
    """Requests that travel together, with these entries."""
    made = [request(at, b"") for at in range(len(entries))]
    for each, entry in zip(made, entries, strict=True):
        each.entry = entry
    return sent(*made)


def test_answers_are_counted_by_what_became_of_them():
    """Errors by code, the rest as ok; ages by message, from the first entry of each; calls of the model by size."""
    read = LaneCall(call(group("s/9997-0", "s/9999-3"), group("s/1-0"), group("no time")))
    read.fail(Failed("internal", "no"))
    items = read.works[0].items
    items[0].failure = Unavailable("deadline_exceeded", "late")
    items[2].failure = items[3].failure = None
    read.busy, read.sizes = 0.25, [2, 1, 0, 700]
    made = reports.answered(read, NOW)
    assert (made.ok, dict(made.errors)) == (2, {"deadline_exceeded": 1, "internal": 1})
    assert list(made.waited) == [3, 2, 9999, 1, 0, 1]
    assert (list(made.sizes), made.busy_micros) == ([2, 1, 700], 250_000)
    assert dict(made.failed_millis) == {"deadline_exceeded": 3, "internal": 1}


def test_answered_requests_are_charged_their_call():
    """All of it for each that the model answered; nothing for those that failed, or that memory answered."""
    read = LaneCall(call(group("s/9990-0", "s/9990-1", "s/9990-2", "s/9990-3")))
    read.fail(Failed("internal", "no"))
    for item in read.works[0].items[1:]:
        item.failure = None
    read.stages.input, read.stages.compute, read.stages.output = 0.5, 2.0, 0.25
    read.cache_hits = 1
    made = reports.answered(read, NOW)
    assert (made.ok, made.cache_hits, made.last_millis) == (3, 1, NOW)
    assert (made.input_micros, made.compute_micros, made.output_micros) == (1_000_000, 4_000_000, 500_000)
    read.fail(Failed("internal", "no"))
    for item in read.works[0].items:
        item.failure = Failed("internal", "no")
    made = reports.answered(read, NOW)
    assert (made.ok, made.last_millis, made.compute_micros, dict(made.failed_millis)) == (0, 0, 0, {"internal": 40})


def test_what_begins_a_graph_is_charged_nothing():
    """Its run is counted when it ends, with its latency; a request that cannot begin one has none here."""
    read = LaneCall(call(group("s/9990-0", "s/9990-1")))
    read.fail(Failed("internal", "no"))
    (work,) = read.works
    work.graph, work.items[0].failure = object(), None
    read.stages.input = 0.5
    made = reports.answered(read, NOW)
    assert (made.ok, dict(made.errors), list(made.waited)) == (0, {"internal": 1}, [])
    assert (made.input_micros, dict(made.failed_millis), made.last_millis) == (0, {}, 0)


def test_what_was_sent_back_is_not_counted():
    """It is counted where it is answered."""
    read = LaneCall(call(group("s/9997-0")))
    read.send_back(read.works[0], "gone")
    read.finish(NOW)
    assert kept(read.call) is None


@given(calls=st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=12))
def test_each_answer_is_in_exactly_one_report(calls):
    """Whatever calls are asked for a report: what left and what is kept make up all answers; nothing is kept twice."""
    state, told = None, 0
    for size, report in [*calls, (1, True)]:
        messages = group(*[f"s/{at}-0" for at in range(size)])
        messages.report = report
        one = call(messages)
        one.state = state
        read = LaneCall(one)
        read.fail(Failed("internal", "no"))
        read.finish(NOW)
        state = kept(one)
        for _, _, done in mail(one, Done):
            answered = sum(each.errors["internal"] for each in done.answered)
            assert done.requests == answered
            told += answered
    assert state is None
    assert told == sum(size for size, _ in calls) + 1


def test_a_lane_keeps_little():
    """All states travel with every call: what may go unreported, be it late and failing, makes some hundred bytes."""
    call = Answered(errors={"deadline_exceeded": 1}, busy_micros=1 << 20, waited=[1 << 14, 1], sizes=[1])
    call.failed_millis["deadline_exceeded"] = 1 << 14
    state = InferenceState(answered=[call] * (REPORT_EVERY - 1))
    assert state.ByteSize() < 500
    call = Answered(ok=1, busy_micros=900, waited=[5, 1], sizes=[1], last_millis=1_800_000_000_000)
    call.input_micros, call.compute_micros, call.output_micros = 200, 900, 100
    plain = InferenceState(answered=[call] * (REPORT_EVERY - 1))
    assert plain.ByteSize() < 240
