"""Which steps go on from a state, and what is kept of them."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.inference.sequence_state import REMEMBERED, LiveSequence, Missed, arrived_ms
from scurry.wire.errors import Failed, InvalidRequest, NotFound
from scurry.wire.messages_pb2 import InferenceState, Request

FIRST = [((1, 1), b"0000")]
IDLE = 1000


def step(at: int, ms: int = 0, **fields: Any) -> Request:
    """Request number `at`, which came so many ms after the first."""
    return Request(id=f"r{at}", entry=f"scurry:requests/{1_700_000_000_000 + ms}-{at}", sequence_id="q", **fields)


def after(value: bytes | None, request: Request, data: bytes, identity: str = "i") -> bytes | None:
    """What is kept after a step that gave `data`."""
    live = LiveSequence(value)
    live.begin(request, identity, IDLE, FIRST)
    live.go_on(request, identity, [((1, 1), data)], FIRST)
    return live.save()[1]


def test_a_sequence_from_start_to_end() -> None:
    """The first step begins with the first states, the others with what their predecessor left; then all is gone."""
    value = after(None, step(1, sequence_start=True), b"aaaa")
    assert LiveSequence(value).begin(step(2), "i", IDLE, FIRST) == [((1, 1), b"aaaa")]
    assert LiveSequence(value).begin(step(3, sequence_start=True), "i", IDLE, FIRST) == FIRST
    live = LiveSequence(value)
    live.go_on(step(4, sequence_end=True), "i", [((1, 1), b"bbbb")], FIRST)
    assert live.save() == (True, None)
    assert after(None, step(1, sequence_start=True, sequence_end=True), b"aaaa") is None


def test_without_a_start_there_is_nothing_to_go_on_from() -> None:
    """That is for the router to look for elsewhere."""
    with pytest.raises(Missed):
        LiveSequence(None).begin(step(1), "i", IDLE, FIRST)
    assert LiveSequence(None).save() == (False, None)


def test_idle_is_counted_from_stream_to_stream() -> None:
    """So that a replay, hours later, decides as the first time."""
    value = after(None, step(1, sequence_start=True), b"aaaa")
    LiveSequence(value).begin(step(2, IDLE), "i", IDLE, FIRST)
    with pytest.raises(NotFound, match="idle for more than 1000 ms"):
        LiveSequence(value).begin(step(2, IDLE + 1), "i", IDLE, FIRST)
    assert LiveSequence(value).begin(step(2, IDLE + 1, sequence_start=True), "i", IDLE, FIRST) == FIRST


def test_another_registration_does_not_go_on() -> None:
    """Its states may mean something else."""
    value = after(None, step(1, sequence_start=True), b"aaaa")
    with pytest.raises(NotFound, match="registered anew"):
        LiveSequence(value).begin(step(2), "j", IDLE, FIRST)


def test_a_step_sent_twice_is_computed_once() -> None:
    """Under its id, whether it was answered with outputs or with an error; the last few are remembered."""
    value = after(None, step(1, sequence_start=True), b"aaaa")
    live = LiveSequence(value)
    live.fail(step(2), Failed("model_failed", "no"))
    assert live.save()[0]
    value = live.save()[1]
    for again in (step(1, sequence_start=True), step(2)):
        with pytest.raises(Failed, match="already_answered"):
            LiveSequence(value).begin(again, "i", IDLE, FIRST)
    for at in range(3, 3 + REMEMBERED):
        value = after(value, step(at), b"bbbb")
    assert len(InferenceState.FromString(value or b"").sequence.answered) == REMEMBERED
    LiveSequence(value).begin(step(2), "i", IDLE, FIRST)


def test_a_state_of_another_size_is_kept_with_it() -> None:
    """Of the usual one only the bytes are; a long id is kept as a digest."""
    live = LiveSequence(None)
    live.go_on(step(1, sequence_start=True), "i", [((2, 1), b"aaaabbbb")], FIRST)
    value = live.save()[1]
    assert LiveSequence(value).begin(step(2), "i", IDLE, FIRST) == [((2, 1), b"aaaabbbb")]
    long = Request(id="x" * 500, entry="s/5-1")
    live.fail(long, Failed("model_failed", "no"))
    assert max(map(len, InferenceState.FromString(live.save()[1] or b"").sequence.answered)) == 32
    with pytest.raises(Failed, match="already_answered"):
        live.begin(long, "i", IDLE, FIRST)


def test_what_is_too_large_is_refused_and_all_stays_as_it_was() -> None:
    """A sequence's states travel with each of its steps."""
    value = after(None, step(1, sequence_start=True), b"aaaa")
    live = LiveSequence(value)
    with pytest.raises(InvalidRequest, match="262144 bytes") as failure:
        live.go_on(step(2), "i", [((1, 300_000), bytes(300_000))], FIRST)
    assert failure.value.code == "too_large"
    assert live.save() == (False, value)


@pytest.mark.parametrize(
    ("entry", "ms"), [("a:b/17-3", 17), ("17-3", 17), ("", 5), ("s/x-1", 5), ("s/", 5), ("s/٣-1", 5)]
)
def test_when_an_entry_came_stands_in_its_id(entry: str, ms: int) -> None:
    """Else it is taken to have come when the last one did."""
    assert arrived_ms(entry, 5) == ms
