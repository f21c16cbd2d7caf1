"""The size of a picture, as torchvision has it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.unit.transforms.encoded import noise

from scurry.transforms.geometry import INTERPOLATIONS, Geometry, parse
from scurry.transforms.specs import Unusable
from scurry.wire.errors import Failed

SIDE = st.integers(1, 40)
ENOUGH = 10**6


@settings(deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(INTERPOLATIONS))
def test_height_and_width_stretch(height, width, tall, wide, how):
    """As Pillow's own resize."""
    image = noise(0, height, width)
    got = Geometry((tall, wide), how).apply(image, ENOUGH)
    assert np.array_equal(got, image.resize((wide, tall), Image.Resampling[how.upper()]))


@settings(deadline=None)
@given(SIDE, SIDE, SIDE)
def test_one_number_is_the_shorter_side(height, width, size):
    """The longer one keeps the ratio, its fraction cut off."""
    got = Geometry(size).apply(noise(0, height, width), ENOUGH * 100)
    assert min(got.size) == size
    long = int(size * max(height, width) / min(height, width))
    assert got.size == ((size, long) if width <= height else (long, size))


@settings(deadline=None)
@given(SIDE, SIDE, SIDE, SIDE)
def test_a_crop_is_cut_out_of_the_middle_and_filled_with_black(height, width, tall, wide):
    """As torchvision's CenterCrop: padded first, then cut."""
    pixels = np.asarray(noise(0, height, width))
    got = np.asarray(Geometry(crop=(tall, wide)).apply(Image.fromarray(pixels), ENOUGH))
    short, narrow = max(0, tall - height), max(0, wide - width)
    padded = np.pad(pixels, ((short // 2, (short + 1) // 2), (narrow // 2, (narrow + 1) // 2), (0, 0)))
    top, left = round((padded.shape[0] - tall) / 2), round((padded.shape[1] - wide) / 2)
    assert np.array_equal(got, padded[top : top + tall, left : left + wide])


@settings(deadline=None)
@given(SIDE, SIDE, SIDE, SIDE)
def test_a_letterbox_keeps_the_ratio(height, width, tall, wide):
    """The picture touches two opposite sides, and what is left is filled."""
    image = Image.new("RGB", (width, height), (255, 255, 255))
    got = np.asarray(Geometry((tall, wide), letterbox=True, fill=7).apply(image, ENOUGH))
    ratio = min(tall / height, wide / width)
    high, broad = max(1, round(height * ratio)), max(1, round(width * ratio))
    expected = np.full((tall, wide, 3), 7, np.uint8)
    top, left = (tall - high) // 2, (wide - broad) // 2
    expected[top : top + high, left : left + broad] = 255
    assert np.array_equal(got, expected)


def test_a_narrow_picture_cannot_fill_the_memory():
    """One pixel by many, with the one made many."""
    with pytest.raises(Unusable, match="1 by 4000, too narrow"):
        Geometry(256).apply(Image.new("L", (1, 4000)), ENOUGH)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, Geometry()),
        ({"resize": 256}, Geometry(256)),
        ({"resize": [3, 4], "crop": 2}, Geometry((3, 4), crop=(2, 2))),
        ({"resize": {"size": 8, "letterbox": True, "fill": 114}}, Geometry((8, 8), letterbox=True, fill=114)),
        ({"resize": {"size": [3, 4], "interpolation": "bicubic"}}, Geometry((3, 4), "bicubic")),
    ],
)
def test_what_a_config_says(entry, expected):
    """One number or two; more in an object."""
    assert parse("p", entry) == expected


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"resize": "big"}, r"p\.resize\.size in the config must be a whole number from 1 to 8192, not 'big'"),
        ({"resize": {"size": 8, "mode": "cubic"}}, r"p\.resize in the config has no 'mode'"),
        ({"resize": {"size": 8, "interpolation": "bilinera"}}, r"was 'bilinear' meant\?"),
        ({"resize": {"letterbox": True}}, r"p\.resize in the config has no size"),
        ({"crop": [1, 2, 3]}, r"p\.crop in the config must be \[height, width\] or one number"),
        ({"crop": 0}, r"p\.crop in the config must be a whole number from 1"),
    ],
)
def test_a_size_that_is_none_is_refused(entry, sentence):
    """With the place and what it may be."""
    with pytest.raises(Failed, match=sentence):
        parse("p", entry)


def test_what_comes_out_is_known_beforehand():
    """Unless only the shorter side is."""
    assert Geometry((3, 4)).sides == (3, 4)
    assert Geometry(9, crop=(2, 5)).sides == (2, 5)
    assert Geometry(9).sides is Geometry().sides is None


def test_how_many_pixels_are_needed_is_known_beforehand():
    """Along the shorter side, whichever that is; a crop alone needs them all."""
    assert Geometry(9).needs == 9
    assert Geometry((3, 4)).needs == 4
    assert Geometry(crop=(3, 4)).needs == 0
