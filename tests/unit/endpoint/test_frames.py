"""Frames of coalesced calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.endpoint import frames


@pytest.mark.parametrize("calls", [[], [b""], [b"one"], [b"one", b"", b"x" * 70_000]])
def test_split_reverses_join(calls: list[bytes]) -> None:
    """What was joined comes apart again, empty calls included."""
    assert [bytes(call) for call in frames.split(frames.join(calls))] == calls


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 6])
def test_a_cut_body_is_refused(cut: int) -> None:
    """A body that ends inside a frame raises, wherever the cut lies."""
    with pytest.raises(frames.BadFrames):
        frames.split(frames.join([b"abc"])[:cut])


def test_lengths_are_big_endian_and_count_the_call_only() -> None:
    """The request frame is the one written in the protocol's description."""
    assert frames.join([b"ab"]) == b"\0\0\0\2ab"


def test_a_response_frame_has_length_index_kind_and_payload() -> None:
    """The response frame is the one written in the protocol's description."""
    assert frames.frame(258, frames.FAILED, b"no") == b"\0\0\0\2\0\0\1\2\2no"


def test_a_heartbeat_belongs_to_no_call() -> None:
    """A heartbeat has index 0xFFFFFFFF and no payload."""
    assert frames.BEAT == b"\0\0\0\0\xff\xff\xff\xff\1"


@pytest.mark.parametrize("keep", range(12))
def test_read_leaves_out_what_is_cut_off(keep: int) -> None:
    """A response that ends early yields its whole frames and no more."""
    body = frames.frame(0, frames.ANSWER, b"") + frames.frame(1, frames.ANSWER, b"ab")
    assert frames.read(body[: 9 + keep]) == ([(0, 0, b"")] if keep < 11 else [(0, 0, b""), (1, 0, b"ab")])


def test_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body of nothing but empty calls does not become millions of them."""
    monkeypatch.setattr(frames, "MAX_CALLS", 3)
    assert len(frames.split(bytes(12))) == 3
    with pytest.raises(frames.BadFrames, match="more than 3 calls"):
        frames.split(bytes(16))


@given(st.binary(max_size=300))
def test_any_bytes_are_calls_or_no_frames(data: bytes) -> None:
    """What is accepted is exactly what came; nothing else happens."""
    try:
        calls = frames.split(data)
    except frames.BadFrames:
        return
    assert frames.join([bytes(call) for call in calls]) == data


@given(st.binary(max_size=300))
def test_any_bytes_are_read_to_their_last_whole_frame(data: bytes) -> None:
    """What is read is the beginning of what came."""
    whole = b"".join(frames.frame(*each) for each in frames.read(data))
    assert data.startswith(whole)
    assert len(data) - len(whole) < 9 or frames.read(data[len(whole) :]) == []
