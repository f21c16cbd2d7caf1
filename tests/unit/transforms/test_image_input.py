"""A model's input that is made of encoded pictures."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.unit.transforms.encoded import encode, noise

from scurry.transforms.image_input import prepare
from scurry.transforms.specs import Spec, Unusable
from scurry.wire.errors import Failed

X = Spec("x", "FP32", (-1, 3, 8, 8))
FREE = Spec("x", "FP32", (-1, 3, -1, -1))


def row(entry, to, encoded: bytes) -> np.ndarray:
    """One picture, prepared."""
    return prepare("p", {"decode": True, **entry}, to).row((encoded,))


@settings(deadline=None)
@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from(["L", "RGB", "RGBA"]),
    st.sampled_from(["RGB", "BGR"]),
    st.booleans(),
    st.sampled_from(["PNG", "JPEG", "WEBP"]),
)
def test_a_row_is_what_pillow_and_numpy_make_of_it(height, width, mode, color, first, kind):  # noqa: PLR0917
    """Decoded, resized, cropped, in order of colour and layout, normalised."""
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    encoded = encode(noise(height, height, width, mode).convert("RGB" if kind == "JPEG" else mode), kind)
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    short = 9 / min(image.size)
    size = (9, int(9 * height / width)) if width <= height else (int(9 * width / height), 9)
    assert abs(size[0] - image.width * short) < 1
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((image.width - 8) / 2), round((image.height - 8) / 2)
    pixels = np.asarray(image.crop((left, top, left + 8, top + 8)))[..., :: -1 if color == "BGR" else 1]
    expected = ((pixels / 255 - mean) / std).astype(np.float32)
    to = X if first else Spec("x", "FP32", (-1, 8, 8, 3))
    entry = {"decode": color, "resize": 9, "crop": 8, "scale": "1/255", "mean": mean, "std": std}
    np.testing.assert_allclose(row(entry, to, encoded), expected.transpose(2, 0, 1) if first else expected, rtol=1e-6)


def test_callers_send_one_element_for_each_row():
    """BYTES under the name that the entry gives, or under the model's; as many rows as the model takes."""
    assert prepare("p", {"decode": True, "input": "image"}, X).takes == (Spec("image", "BYTES", (-1,)),)
    assert prepare("p", {"decode": {}}, Spec("x", "UINT8", (1, 8, 8, 3))).takes == (Spec("x", "BYTES", (1,)),)
    whole = prepare("p", {"decode": "GRAY"}, Spec("x", "UINT8", (8, 8)))
    assert (whole.takes, whole.stacked) == ((Spec("x", "BYTES", (1,)),), False)


def test_the_sample_is_a_picture_that_the_input_takes():
    """Whatever is done to it."""
    for entry in ({}, {"resize": 9, "crop": 8}, {"resize": {"size": 8, "letterbox": True}}, {"base64": False}):
        made = prepare("p", {"decode": True, **entry}, X)
        assert made.row(made.sample).shape == (3, 8, 8)


def test_base64_is_told_from_pictures():
    """Both are taken, line breaks are allowed; an entry may say that base64 is not."""
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
        encoded = encode(noise(1, 8, 8), kind)
        expected = row({}, X, encoded)
        assert np.array_equal(row({}, X, base64.b64encode(encoded)), expected)
        assert np.array_equal(row({"base64": True}, X, encoded), expected)
        assert np.array_equal(row({}, X, base64.encodebytes(encoded)), expected)
        assert np.array_equal(row({"base64": False}, X, encoded), expected)
        with pytest.raises(Unusable, match="is no picture"):
            row({"base64": False}, X, base64.b64encode(encoded))
    for sent in (b"", b"cat.jpg", b"A" * 40, b"A" * 41):
        with pytest.raises(Unusable, match=r"is no (picture|base64)"):
            row({}, X, sent)


def test_a_picture_of_another_size_is_unusable_where_nothing_resizes():
    """Both sizes are said."""
    with pytest.raises(Unusable, match="is a picture of 9 by 7; the model takes 8 by 8"):
        row({}, X, encode(noise(1, 7, 9)))


@pytest.mark.parametrize(
    ("entry", "to", "sentence"),
    [
        ({"crop": 8}, Spec("x", "FP32", (-1, -1, -1, -1)), r"needs a layout \(NCHW, .*\) for input 'x'"),
        ({"layout": "CHW"}, X, r"layout in the config is CHW, but input 'x' has the shape \[-1, 3, 8, 8\]"),
        ({"layout": "CNHW"}, X, "layout in the config must be one of"),
        ({"layout": "NHWC"}, X, "gives 3 channels, but input 'x' is"),
        ({"decode": "GRAY"}, X, "needs a layout"),
        ({"decode": "GRAY", "layout": "NCHW"}, X, "gives 1 channels, but input 'x' is"),
        ({"layout": "NHW"}, Spec("x", "FP32", (-1, 8, 8)), "gives 3 channels"),
        ({"mean": [1, 2]}, X, r"mean in the config has 2 numbers for 3 channels"),
        ({"std": [1, 0, 1]}, X, r"std in the config must not be 0"),
        ({"resize": 9}, X, r"resize in the config is a shorter side, .*: add a crop"),
        ({"resize": [9, 9]}, X, r"makes pictures of \[9, 9\], but input 'x' takes height 8, width 8"),
        ({}, FREE, r"must say resize or crop: input 'x' is \[-1, 3, -1, -1\], of any size"),
        ({}, Spec("x", "BYTES", (-1, 3, 8, 8)), "makes numbers of pictures, but input 'x' is BYTES"),
        ({"decode": {"colour": "RGB"}}, X, r"p\.decode in the config has no 'colour'; was 'color' meant\?"),
        ({"decode": 3}, X, r"p\.decode in the config must be an object"),
        ({"text": {}}, X, r"p in the config has no 'text'"),
        ({"base64": "yes"}, X, r"p\.base64 in the config must be true or false"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(entry, to, sentence):
    """When it is registered, in a sentence with the place."""
    with pytest.raises(Failed, match=sentence):
        prepare("p", {"decode": True, **entry}, to)


def test_an_input_of_any_size_gets_the_size_of_the_entry():
    """By resize, or by crop."""
    assert row({"resize": [4, 6]}, FREE, encode(noise(1, 7, 9))).shape == (3, 4, 6)
    assert row({"crop": 5}, FREE, encode(noise(1, 7, 9))).shape == (3, 5, 5)


def test_a_draft_is_taken_where_it_is_asked_for():
    """Large JPEGs give nearly the same row."""
    encoded = encode(noise(1, 40, 60).resize((960, 640), Image.Resampling.BICUBIC), "JPEG")
    full, draft = (row({"decode": {"draft": yes}, "resize": [8, 8]}, X, encoded) for yes in (False, True))
    assert not np.array_equal(full, draft)
    assert np.abs(full - draft).mean() < 3
