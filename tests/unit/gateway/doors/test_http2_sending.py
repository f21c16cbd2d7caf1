"""What is sent on an HTTP/2 connection, within its windows."""

from __future__ import annotations

import pytest
from tests.unit.gateway.doors.line import Transport

from scurry.gateway.doors.http2_sending import AT_ONCE, Outgoing, Sending
from scurry.protocols import http2
from scurry.protocols.http2 import Frames, Http2Error


class Sent:
    """A sender and what it has written."""

    def __init__(self) -> None:
        self.transport, self.ended = Transport(), []
        self.sending = Sending(self.transport, self.ended.append)
        self._frames = Frames(1 << 20)

    def look(self) -> list[http2.Frame]:
        """Frames written since."""
        found = self._frames.feed(bytes(self.transport.written))
        self.transport.written.clear()
        return found


@pytest.fixture
def sent() -> Sent:
    """One connection."""
    return Sent()


def data_of(frames: list[http2.Frame], stream: int) -> bytes:
    """What went out on a stream."""
    return b"".join(payload for kind, _, number, payload in frames if kind == http2.DATA and number == stream)


def test_a_small_answer_goes_out_whole(sent):
    """Headers, message, trailers."""
    sent.sending.whole(Outgoing(1, 1000), b"begun", b"message", b"last")
    assert sent.look() == [
        (http2.HEADERS, http2.END_HEADERS, 1, b"begun"), (http2.DATA, 0, 1, b"message"),
        (http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1, b"last"),
    ]  # fmt: skip
    assert sent.ended == [1]


def test_a_large_answer_waits_for_the_window_of_its_stream(sent):
    """And goes on in pieces as that opens."""
    out, message = Outgoing(1, 10_000), bytes(range(256)) * 200
    sent.sending.whole(out, b"begun", message, b"last")
    frames = sent.look()
    assert data_of(frames, 1) == message[:10_000]
    assert not sent.ended
    sent.sending.widen_one(out, 50_000)
    frames += sent.look()
    assert data_of(frames, 1) == message
    assert frames[-1][3] == b"last"
    assert sent.ended == [1]
    assert max(len(payload) for *_, payload in frames) <= AT_ONCE


def test_the_window_of_all_streams_is_shared(sent):
    """Who waits for it goes on when it opens; those behind it in turn."""
    outs = [Outgoing(number, 1 << 20) for number in (1, 3)]
    for out in outs:
        sent.sending.whole(out, b"", bytes(50_000), b"last")
    frames = sent.look()
    assert len(data_of(frames, 1)) == 50_000
    assert len(data_of(frames, 3)) == http2.WINDOW - 50_000
    sent.sending.widen(100)
    frames += sent.look()
    assert len(data_of(frames, 3)) == http2.WINDOW - 50_000 + 100
    sent.sending.widen(1 << 20)
    frames += sent.look()
    assert len(data_of(frames, 3)) == 50_000
    assert sent.ended == [1, 3]


def test_a_window_may_close_and_may_not_overflow(sent):
    """A caller may set a smaller one, even below nothing."""
    out = Outgoing(1, 100)
    sent.sending.widen_one(out, -200)
    sent.sending.whole(out, b"", b"message", b"last")
    assert data_of(sent.look(), 1) == b""
    sent.sending.widen_one(out, 107)
    assert data_of(sent.look(), 1) == b"message"
    with pytest.raises(Http2Error):
        sent.sending.widen(http2.LARGEST_WINDOW)


def test_what_nobody_waits_for_is_forgotten(sent):
    """Nothing of it is sent when windows open."""
    out = Outgoing(1, 1 << 20)
    sent.sending.whole(out, b"", bytes(100_000), b"last")
    sent.look()
    sent.sending.forget(out)
    sent.sending.widen(1 << 20)
    assert sent.look() == []
    assert not sent.ended
