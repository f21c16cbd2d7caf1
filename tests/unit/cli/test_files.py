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


def test_a_model_of_bytes_gets_the_file_itself(tmp_path):
    """It decodes pictures on its own."""
    (tmp_path / "p.png").write_bytes(b"png")
    signature = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1]}]}
    assert files.picture(tmp_path / "p.png", signature)["image"].tolist() == [b"png"]


def test_a_picture_that_cannot_be_used_names_its_file(tmp_path):
    """Absent, or for a model that takes no picture."""
    signature = {"inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 16, 4, 4, 4]}]}
    with pytest.raises(InvalidRequest, match=r"p\.png cannot be read"):
        files.picture(tmp_path / "p.png", signature)
    (tmp_path / "p.png").write_bytes(b"png")
    with pytest.raises(InvalidRequest, match=r"p\.png: An input of shape"):
        files.picture(tmp_path / "p.png", signature)


@pytest.mark.parametrize("content", [None, b"text"])
def test_a_file_that_is_no_array_is_refused(tmp_path, content):
    """Absent or of another kind."""
    path = tmp_path / "x.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"x\.npy"):
        files.arrays(path, ONE)


def test_arrays_as_json_can_hold_them():
    """In their shape, with names for what is not finite."""
    odd = np.array([[1.5, np.nan], [-np.inf, np.inf]], np.float32)
    assert files.listed(odd) == [[1.5, "NaN"], ["-Infinity", "Infinity"]]
    assert files.listed(np.array([[1], [2]])) == [[1], [2]]
    assert files.listed(np.float32(2.0).reshape(())) == 2.0


def test_bytes_are_shown_as_the_texts_they_are():
    """In JSON and in a table; what is no text shows its numbers."""
    labels = np.array([[b"cat", b"\xff!"]], dtype=object)
    assert files.listed(labels) == [["cat", "\\xff!"]]
    assert files.described(labels).startswith("texts [1, 2]\n[['cat'")
