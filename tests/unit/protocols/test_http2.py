"""Frames of HTTP/2 and their header blocks."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder

from scurry.protocols import http2
from scurry.protocols.http2 import Frames, HeaderBlocks, Http2Error

WIRE = http2.frame(http2.PING, 0, 0, b"12345678") + http2.frame(http2.DATA, 1, 7, b"") + http2.number(3, 9, 8)


@pytest.mark.parametrize("step", [1, 5, 100])
def test_frames_are_found_in_any_pieces(step):
    """A byte at a time, or all at once."""
    frames, found = Frames(100), []
    for at in range(0, len(WIRE), step):
        found += frames.feed(WIRE[at : at + step])
    assert found == [(6, 0, 0, b"12345678"), (0, 1, 7, b""), (3, 0, 9, b"\0\0\0\x08")]


def test_a_frame_above_the_limit_is_refused_by_its_head():
    """Before it has come."""
    with pytest.raises(Http2Error):
        Frames(100).feed(http2.head(101, http2.DATA, 0, 1))


def test_a_block_that_comes_again_is_read_once():
    """As long as the table stays: what is put into it changes what later bytes mean."""
    asked = []

    def make(headers):
        asked.append(headers)
        return dict(headers)

    blocks, encoder = HeaderBlocks(4096, make), Encoder()
    first = encoder.encode([("a", "1"), ("b", "2")])
    again = encoder.encode([("a", "1"), ("b", "2")])
    assert first != again  # the second points into the table
    assert blocks.read(first) == {"a": "1", "b": "2"}
    for _ in range(3):
        assert blocks.read(again) == {"a": "1", "b": "2"}
    assert len(asked) == 2
    assert blocks.read(encoder.encode([("c", "3")])) == {"c": "3"}
    assert blocks.read(again) == {"b": "2", "c": "3"}  # the same bytes, another table
    assert len(asked) == 4


def test_a_table_that_shrinks_is_noticed():
    """Its entries are gone, though none came."""
    blocks, encoder = HeaderBlocks(4096, dict), Encoder()
    blocks.read(encoder.encode([("a", "1")]))
    again = encoder.encode([("a", "1")])
    assert blocks.read(again) == {"a": "1"}
    encoder.header_table_size = 0
    blocks.read(encoder.encode([(":method", "POST")]))
    with pytest.raises(Http2Error):
        blocks.read(again)


@pytest.mark.parametrize("block", [b"\xff\xff\xff\xff\xff\xff", b"\x40\x05ab", b"\xc0"])
def test_a_block_that_is_none_is_refused(block):
    """Whatever is wrong with it."""
    with pytest.raises(Http2Error):
        HeaderBlocks(4096, dict).read(block)


def test_too_many_headers_are_refused():
    """Small on the wire, large when they are read."""
    encoder = Encoder()
    block = encoder.encode([("a", "x" * 1000)]) + encoder.encode([("a", "x" * 1000)]) * 100
    assert len(block) < 2000
    with pytest.raises(Http2Error):
        HeaderBlocks(4096, dict).read(block)


@pytest.mark.parametrize("size", [0, 126, 127, 128, 254, 255, 1000, 20_000])
def test_literals_of_any_length_are_read_by_others(size):
    """By a decoder that is not ours, and change no table."""
    decoder = Decoder(max_header_list_size=1 << 20)
    assert list(decoder.decode(http2.literal(b"name", b"v" * size))) == [("name", "v" * size)]
    assert not decoder.header_table.dynamic_entries


def test_padding_and_priority_are_taken_off():
    """And more padding than there is refused."""
    assert http2.unpadded(http2.PADDED, b"\x02abc\0\0") == b"abc"
    assert http2.unpadded(http2.PRIORITIZED, b"12345abc") == b"abc"
    assert http2.unpadded(0, b"abc") == b"abc"
    for broken in (b"", b"\x04abc"):
        with pytest.raises(Http2Error):
            http2.unpadded(http2.PADDED, broken)


def test_settings_go_both_ways():
    """Six bytes each."""
    wire = http2.settings(((1, 2), (3, 4)))
    assert http2.settings_in(wire[9:]) == [(1, 2), (3, 4)]
    with pytest.raises(Http2Error):
        http2.settings_in(wire[9:-1])
