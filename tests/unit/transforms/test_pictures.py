"""Encoded pictures, made into pixels as a viewer would show them."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.unit.transforms.encoded import encode, noise

from scurry.transforms.pictures import decode, pillow
from scurry.transforms.specs import Unusable
from scurry.wire.errors import Failed


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {})])
def test_lossless_pictures_come_back_as_they_were(kind, options):
    """Every pixel of every format that loses nothing."""
    image = noise(1, 7, 5)
    assert np.array_equal(decode(encode(image, kind, **options)), image)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_pictures_are_what_pillow_makes_of_them(kind):
    """The same pixels as Pillow's own."""
    encoded = encode(noise(2, 16, 24), kind)
    assert np.array_equal(decode(encoded), Image.open(io.BytesIO(encoded)).convert("RGB"))


def test_every_mode_becomes_the_colours_asked_for():
    """Greys are equal in all channels; transparency is dropped; CMYK and two colours are converted."""
    grey, colour, veiled = noise(3, 4, 6, "L"), noise(3, 4, 6), noise(3, 4, 6, "RGBA")
    assert np.array_equal(decode(encode(grey)), np.stack([np.asarray(grey)] * 3, -1))
    assert np.array_equal(decode(encode(veiled)), np.asarray(veiled)[..., :3])
    assert np.array_equal(decode(encode(grey), gray=True), grey)
    misty = noise(4, 4, 6, "LA")
    assert np.array_equal(decode(encode(misty)), np.stack([np.asarray(misty)[..., 0]] * 3, -1))
    assert np.array_equal(decode(encode(colour), gray=True), colour.convert("L"))
    two = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    assert np.asarray(decode(encode(two)))[..., 0].tolist() == [[0, 255], [255, 0]]
    pressed = encode(colour.convert("CMYK"), "JPEG")
    assert np.array_equal(decode(pressed), Image.open(io.BytesIO(pressed)).convert("RGB"))


def test_palettes_are_looked_up_with_and_without_transparency():
    """The colours of the palette, whatever stands for nothing."""
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    for options in ({}, {"transparency": 0}, {"transparency": b"\x00\x80"}):
        assert np.asarray(decode(encode(image, **options))).tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_sixteen_bits_of_grey_are_their_upper_half():
    """White stays white, and nothing is cut off at 255."""
    deep = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    encoded = encode(Image.fromarray(deep))
    assert np.asarray(decode(encoded, gray=True)).tolist() == [[0, 0, 1, 128, 255]]
    assert np.asarray(decode(encoded))[0, :, 2].tolist() == [0, 0, 1, 128, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_that_a_camera_noted_is_followed(kind, orientation):
    """In all eight ways, by what EXIF says of rows and columns."""
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = 255  # the upper left quarter is white
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = np.asarray(decode(encode(stored, kind, exif=exif)))
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 8


def test_what_is_no_picture_is_said_to_be_none():
    """Texts, other files, and formats of Pillow's that are not opened."""
    for sent in (
        b"",
        b"text " * 20,
        b"%PDF-1.7" + bytes(100),
        encode(noise(1, 4, 4), "TIFF"),
        encode(noise(1, 4, 4), "PPM"),
    ):
        with pytest.raises(Unusable, match="is no picture that pillow can read"):
            decode(sent)


@settings(deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP"]), st.floats(0.05, 0.9))
def test_a_truncated_picture_is_unusable(kind, share):
    """Wherever it ends, in one sentence."""
    encoded = encode(noise(5, 32, 32), kind)
    with pytest.raises(Unusable, match=r"picture"):
        decode(encoded[: int(len(encoded) * share)])


@settings(deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_damaged_picture_is_pixels_or_unusable(kind, at, damage):
    """Never another exception."""
    encoded = bytearray(encode(noise(6, 24, 24), kind))
    at %= len(encoded)
    encoded[at : at + len(damage)] = damage
    try:
        assert np.asarray(decode(bytes(encoded), max_pixels=10_000)).shape[-1] == 3
    except Unusable as failure:
        assert "picture" in str(failure)


@pytest.mark.parametrize("side", [8_000, 30_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side):
    """By the size that its head states: some bytes for a gigapixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    with pytest.raises(Unusable, match="picture"):
        decode(bomb)


def test_a_picture_may_have_so_many_pixels():
    """As many as the limit, not one more."""
    encoded = encode(noise(1, 10, 10))
    assert decode(encoded, max_pixels=100).size == (10, 10)
    with pytest.raises(Unusable, match="10 by 10; at most 99 pixels"):
        decode(encoded, max_pixels=99)


def test_without_pillow_a_model_that_needs_it_is_refused(monkeypatch):
    """When it is registered, with what to install."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(Failed, match=r"pip install 'scurry\[image\]'"):
        pillow()


def test_a_draft_is_nearly_the_same_from_fewer_pixels():
    """Of a JPEG; what is not much larger, and every other format, is decoded in full."""
    smooth = noise(7, 40, 60).resize((960, 640), Image.Resampling.BICUBIC)
    encoded = encode(smooth, "JPEG")
    draft = decode(encoded, draft=64)
    assert draft.size == (240, 160)
    small, full = (np.asarray(one.resize((96, 64)), int) for one in (draft, decode(encoded)))
    assert np.abs(small - full).mean() < 3
    assert decode(encoded, draft=400).size == decode(encode(smooth), draft=64).size == (960, 640)
    with pytest.raises(Unusable, match="at most 9 pixels"):
        decode(encoded, max_pixels=9, draft=1)
