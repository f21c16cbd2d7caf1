"""Pixels, made into the numbers that a model takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.transforms.pixels import guessed_layout, looked_up, table
from scurry.wire.tensors import DTYPES

NUMBER = st.floats(-10, 10)


@settings(deadline=None)
@given(
    st.sampled_from(["CHW", "HWC", "HW"]),
    st.sampled_from(["FP32", "FP64", "FP16", "UINT8", "INT8", "INT32"]),
    st.floats(-2, 2),
    st.lists(NUMBER, min_size=3, max_size=3),
    st.lists(st.floats(0.1, 300), min_size=3, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_each_pixel_is_what_numpy_makes_of_it(layout, datatype, scale, mean, std, seed):  # noqa: PLR0917
    """(pixel × scale - mean) / std in double precision; whole numbers are rounded and kept within their type."""
    channels = 1 if layout == "HW" else 3
    mean, std, dtype = mean[:channels], std[:channels], DTYPES[datatype]
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 4, channels)).astype(np.uint8)
    expected = (pixels * scale - np.array(mean)) / np.array(std)
    if dtype.kind in "iu":
        expected = np.clip(np.rint(expected), np.iinfo(dtype).min, np.iinfo(dtype).max)
    expected = expected.astype(dtype)
    expected = expected.transpose(2, 0, 1) if layout == "CHW" else expected[..., 0] if layout == "HW" else expected
    got = looked_up(pixels, table(datatype, scale, mean, std), layout)
    assert got.dtype == dtype
    assert np.array_equal(got, expected)


@pytest.mark.parametrize(
    ("shape", "channels", "layout"),
    [
        ((-1, 3, 224, 224), 3, "NCHW"),
        ((1, 224, 224, 3), 3, "NHWC"),
        ((3, 8, 8), 3, "CHW"),
        ((28, 28), 1, "HW"),
        ((-1, 3, 8, 3), 3, ""),
        ((-1, -1, -1, -1), 3, ""),
        ((-1, 10), 3, ""),
        ((1, 1, 1, 3, 4), 3, ""),
    ],
)
def test_the_layout_is_guessed_only_where_it_can_be_no_other(shape, channels, layout):
    """Else it has to be said."""
    assert guessed_layout(shape, channels) == layout
