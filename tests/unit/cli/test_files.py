"""Arrays and pictures made to fit a model's inputs."""

import numpy as np
import pytest

from scurry.cli import files
from scurry.wire.errors import InvalidRequest

ONE = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]}
TWO = {"inputs": [{"name": "a", "datatype": "INT64", "shape": [1]}, {"name": "b", "datatype": "FP32", "shape": [1]}]}


def test_an_npz_has_an_array_for_each_input(tmp_path):
    """Under their names, each in its type."""
    np.savez(tmp_path / "x.npz", a=np.int32([1]), b=np.float64([2]))
    arrays = files.arrays(tmp_path / "x.npz", TWO)
    assert {name: array.dtype.name for name, array in arrays.items()} == {"a": "int64", "b": "float32"}


def test_one_array_for_two_inputs_is_refused(tmp_path):
    """The sentence names the inputs."""
    np.save(tmp_path / "x.npy", np.int32([1]))
    with pytest.raises(InvalidRequest, match="inputs a, b"):
        files.arrays(tmp_path / "x.npy", TWO)


def test_a_type_that_would_lose_its_meaning_is_left_alone():
    """The model's own check then says what is wrong."""
    spec = {"name": "n", "datatype": "INT64", "shape": [-1]}
    assert files.fit(np.float32([1.5]), spec).dtype == np.float32


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
    assert files.layout(shape) == expected


def test_a_shape_that_is_no_picture_is_refused():
    """With the way out."""
    with pytest.raises(InvalidRequest, match="--npy"):
        files.layout([-1, 16, 4, 4, 4])


def test_a_picture_is_scaled_into_the_models_range(tmp_path, monkeypatch):
    """0 to 1 for floats, channels where the model has them."""
    pixels = np.full((2, 2, 3), 255, np.uint8)
    monkeypatch.setattr(files, "_decode", lambda path, width, height, channels: pixels)
    spec = {"name": "image", "datatype": "FP32", "shape": [-1, 3, 2, 2]}
    array = files.picture(tmp_path / "p.png", {"inputs": [spec]})["image"]
    assert (array.shape, array.dtype, array.max()) == ((1, 3, 2, 2), np.float32, 1.0)


def test_a_model_of_bytes_gets_the_file_itself(tmp_path):
    """It decodes pictures on its own."""
    (tmp_path / "p.png").write_bytes(b"png")
    signature = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1]}]}
    assert files.picture(tmp_path / "p.png", signature)["image"].tolist() == [b"png"]


@pytest.mark.parametrize("content", [None, b"text"])
def test_a_file_that_is_no_array_is_refused(tmp_path, content):
    """Absent or of another kind."""
    path = tmp_path / "x.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"x\.npy"):
        files.arrays(path, ONE)
