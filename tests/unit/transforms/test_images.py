"""Encoded pictures, made into the tensor that a model takes."""

import numpy as np
import pytest

from scurry.transforms import images
from scurry.wire.errors import InvalidRequest


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([-1, 3, 224, 224], (True, 224, 224, 3)),
        ([1, 28, 28, 1], (False, 28, 28, 1)),
        ([-1, 3, -1, -1], (True, 224, 224, 3)),
        ([-1, 8, 8], (False, 8, 8, 0)),
        ([8, 8], (False, 8, 8, 0)),
        ([1, 16, 16], (False, 16, 16, 0)),
    ],
)
def test_the_layout_of_a_picture_follows_from_the_shape(shape, expected):
    """Channels first or last, or none; a free side is 224."""
    assert images.layout(shape) == expected


def test_a_shape_that_is_no_picture_is_refused():
    """The sentence shows the shape."""
    with pytest.raises(InvalidRequest, match=r"\[-1, 16, 4, 4, 4\] does not look like a picture"):
        images.layout([-1, 16, 4, 4, 4])
    with pytest.raises(InvalidRequest, match=r"\[-1, 2\] takes rows of numbers, not a picture"):
        images.layout([-1, 2])


@pytest.mark.parametrize(
    ("datatype", "shape", "got", "most"),
    [("FP32", [-1, 3, 2, 2], (1, 3, 2, 2), 1.0), ("UINT8", [2, 2, 3], (2, 2, 3), 255)],
)
def test_a_picture_is_scaled_into_the_models_range(monkeypatch, datatype, shape, got, most):
    """0 to 1 for floats, 0 to 255 for integers, channels where the model has them."""
    monkeypatch.setattr(images, "_decode", lambda *_: np.full((2, 2, 3), 255, np.uint8))
    array = images.to_tensor(b"", datatype, shape)
    assert (array.shape, array.max()) == (got, most)


def test_a_model_of_bytes_gets_the_picture_itself():
    """It decodes pictures on its own."""
    assert images.to_tensor(b"png", "BYTES", [1]).tolist() == [b"png"]


def test_real_pictures_are_decoded():
    """With pillow, a picture is resized to the model's sides; other bytes are refused."""
    pillow = pytest.importorskip("PIL.Image", reason="pillow is an extra")
    import io

    encoded = io.BytesIO()
    pillow.new("RGB", (4, 6), (255, 0, 0)).save(encoded, "PNG")
    array = images.to_tensor(encoded.getvalue(), "FP32", [-1, 3, 2, 2])
    assert array[0, :, 0, 0].tolist() == [1, 0, 0]
    with pytest.raises(InvalidRequest, match="pillow can read"):
        images.to_tensor(b"text", "FP32", [-1, 3, 2, 2])
