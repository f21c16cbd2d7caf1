"""Events as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.gateway.doors.event_stream import NO_EVENTS, EventReply, OpenEvents, chunk, event, wants_events


class Events:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def open(self, outlet: Any) -> None:
        self.told.append("open")
        outlet.send(b"data: 1\n\n")

    def resume(self) -> None:
        self.told.append("resume")

    def close(self) -> None:
        self.told.append("close")


def test_an_event_ends_with_an_empty_line() -> None:
    """Its id is there when it has one."""
    assert event("end", b"{}") == b"event: end\ndata: {}\n\n"
    assert event("result", b"{}", "a") == b"event: result\nid: a\ndata: {}\n\n"
    assert chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        ("text/event-stream", True), ("application/json, Text/Event-Stream;q=0.9", True), ("*/*", False), ("", False),
    ],
)  # fmt: skip
def test_events_are_sent_to_who_asks_for_them(accept: str, wants: bool) -> None:
    """By name: a curl that takes anything gets JSON."""
    assert wants_events({"Accept": accept}) is wants


def test_events_go_out_in_chunks_until_they_end() -> None:
    """The source is closed once."""
    events, written, ended = Events(), list[bytes](), list[int]()
    made = OpenEvents(events, written.append, lambda: ended.append(1))
    made.open()
    made.pause()
    assert made.is_full
    made.resume()
    assert not made.is_full
    made.end()
    made.end()
    made.close()
    assert written == [b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n"]
    assert (events.told, ended) == (["open", "resume", "close"], [1])


def test_the_head_alone_opens_nothing() -> None:
    """HEAD, and a gateway that goes."""
    events, written = Events(), list[bytes]()
    OpenEvents(events, written.append, lambda: None).open(at_all=False)
    assert events.told == ["close"]
    NO_EVENTS.pause()
    NO_EVENTS.end()
    NO_EVENTS.close()
    assert b"chunked" in EventReply(events).head
    assert b"chunked" not in EventReply(events).old().head
