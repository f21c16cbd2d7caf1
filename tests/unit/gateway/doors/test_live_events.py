"""What a source yields, as fast as the caller reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from scurry.gateway.doors import event_stream
from scurry.gateway.doors.event_stream import HEARTBEAT
from scurry.gateway.doors.live_events import LiveEvents


class Outlet:
    """Keeps what is sent."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.sent: list[bytes] = []
        self.is_full = is_full
        self.ended = False

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def end(self) -> None:
        self.ended = True


class Source:
    """Yields numbers, and knows how often it was asked and whether it was closed."""

    def __init__(self, count: int, *, hangs: bool = False, fails: bool = False) -> None:
        self.count, self.hangs, self.fails = count, hangs, fails
        self.asked, self.closed = 0, False

    async def events(self) -> AsyncIterator[bytes]:
        try:
            for number in range(self.count):
                self.asked += 1
                yield b"%d" % number
            if self.hangs:
                await asyncio.Event().wait()
            if self.fails:
                raise ValueError
        finally:
            self.closed = True


async def test_everything_is_sent_and_that_is_the_end() -> None:
    """In its order."""
    source, outlet = Source(3), Outlet()
    LiveEvents(source.events()).open(outlet)
    await asyncio.sleep(0.01)
    assert (outlet.sent, outlet.ended, source.closed) == ([b"0", b"1", b"2"], True, True)


async def test_who_does_not_read_is_not_written_to() -> None:
    """The source is asked again when he does."""
    source, outlet = Source(3), Outlet(is_full=True)
    events = LiveEvents(source.events())
    events.open(outlet)
    await asyncio.sleep(0.01)
    assert source.asked == 1
    outlet.is_full = False
    events.resume()
    await asyncio.sleep(0.01)
    assert outlet.sent == [b"0", b"1", b"2"]


async def test_who_has_gone_frees_everything() -> None:
    """The source ends, and nothing more is sent."""
    source, outlet = Source(1, hangs=True), Outlet()
    events = LiveEvents(source.events())
    events.open(outlet)
    await asyncio.sleep(0.01)
    events.close()
    await asyncio.sleep(0.01)
    assert (source.closed, outlet.ended) == (True, False)
    assert repr(events) == "<LiveEvents closed>"


async def test_a_sign_of_life_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to one who does not read."""
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.01)
    source, outlet, full = Source(0, hangs=True), Outlet(), Outlet(is_full=True)
    events, others = LiveEvents(source.events()), LiveEvents(Source(0, hangs=True).events())
    events.open(outlet)
    others.open(full)
    await asyncio.sleep(0.05)
    events.close()
    others.close()
    assert len(outlet.sent) >= 2
    assert set(outlet.sent) == {HEARTBEAT}
    assert full.sent == []


async def test_a_fault_of_ours_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    """The log tells why; the caller is told nothing of it."""
    outlet = Outlet()
    LiveEvents(Source(1, fails=True).events()).open(outlet)
    await asyncio.sleep(0.01)
    assert (outlet.sent, outlet.ended) == ([b"0"], True)
    assert "a stream of events ends" in caplog.text
