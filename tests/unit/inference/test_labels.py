"""Labels of a model's outputs, which lie in files beside it."""

from pathlib import Path

import pytest

from scurry.inference.labels import MOST_BYTES, labels_beside
from scurry.wire.errors import Failed

OUTPUT = {"output": [{"name": "y", "label_filename": "y.txt"}, {"name": "z", "label_filename": "z.txt"}]}


@pytest.fixture
def beside(tmp_path: Path):
    """Finds files in a directory as the worker does."""

    def find(name: str) -> Path:
        if not (tmp_path / name).is_file():
            raise Failed("load_failed", f"There is no file {name!r}.")
        return tmp_path / name

    return find


def test_each_output_has_the_lines_of_its_file(tmp_path, beside):
    """Wherever a line may be empty, it has its place."""
    (tmp_path / "y.txt").write_text("cat\n\ndög\r\n")
    (tmp_path / "z.txt").write_text("no")
    labels = labels_beside(OUTPUT, beside)
    assert (labels.found, labels.warnings) == ({"y": ["cat", "", "dög"], "z": ["no"]}, [])


def test_what_cannot_be_read_is_a_warning_and_hurts_no_other(tmp_path, beside):
    """A file that is not there, one that is no text."""
    (tmp_path / "z.txt").write_bytes(b"\xff\xfe")
    labels = labels_beside(OUTPUT, beside)
    assert labels.found == {}
    assert labels.warnings == [
        "Classes of output 'y' have no labels: There is no file 'y.txt'.",
        "Classes of output 'z' have no labels: 'z.txt' is no file of UTF-8 text that can be read.",
    ]


def test_labels_of_a_version_are_bounded_in_all(tmp_path, beside):
    """They travel in the model's record."""
    (tmp_path / "y.txt").write_text("y" * (MOST_BYTES - 1))
    (tmp_path / "z.txt").write_text("no")
    labels = labels_beside(OUTPUT, beside)
    assert list(labels.found) == ["y"]
    assert labels.warnings == [
        f"Classes of output 'z' have no labels: labels of a version may have {MOST_BYTES} bytes, 'z.txt' has 2."
    ]


@pytest.mark.parametrize("config", [{}, {"output": 3}, {"output": [7, {"label_filename": 2}, {"label_filename": ""}]}])
def test_a_config_that_names_none_has_none(config, beside):
    """Whatever it says instead is for others to check."""
    labels = labels_beside(config, beside)
    assert (labels.found, labels.warnings) == ({}, [])
