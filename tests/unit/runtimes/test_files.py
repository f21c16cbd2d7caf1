"""Which file a uri stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scurry.runtimes.files import locate
from scurry.wire.errors import Failed

SUFFIXES = (".xml", ".onnx")


def touch(path: Path, content: str = "") -> Path:
    """A file with some content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_file_is_itself(tmp_path):
    """A uri that is a file needs no search."""
    path = touch(tmp_path / "any.onnx")
    assert locate(str(path), "m", "1", SUFFIXES).path == path


def test_file_scheme(tmp_path):
    """file:// and percent signs are understood."""
    path = touch(tmp_path / "a b.onnx")
    assert locate(f"file://{tmp_path}/a%20b.onnx", "m", "1", SUFFIXES).path == path


def test_relative_paths_lie_below_the_root(tmp_path):
    """A relative uri is looked up below the models' root, an absolute one is not."""
    path = touch(tmp_path / "deep" / "model.onnx")
    assert locate("deep", "m", "1", SUFFIXES, root=str(tmp_path)).path == path
    assert locate(str(path), "m", "1", SUFFIXES, root="/nowhere").path == path


@pytest.mark.parametrize("where", ["model.onnx", "only-one.onnx"])
def test_a_directory_with_one_model(tmp_path, where):
    """`model.<suffix>` or the only file with a known suffix is taken."""
    path = touch(tmp_path / where)
    touch(tmp_path / "readme.txt")
    assert locate(str(tmp_path), "m", "1", SUFFIXES).path == path


def test_the_first_suffix_wins(tmp_path):
    """Of two formats the one the runtime prefers is opened."""
    touch(tmp_path / "model.onnx")
    path = touch(tmp_path / "model.xml")
    assert locate(str(tmp_path), "m", "1", SUFFIXES).path == path


def test_a_repository_picks_by_name_and_version(tmp_path):
    """In a Triton-style repository name and version pick the directory."""
    touch(tmp_path / "m" / "1" / "model.onnx")
    path = touch(tmp_path / "m" / "2" / "model.onnx")
    touch(tmp_path / "other" / "2" / "model.onnx")
    assert locate(str(tmp_path), "m", "2", SUFFIXES).path == path
    assert locate(str(tmp_path / "m"), "m", "2", SUFFIXES).path == path


def test_config_beside_the_model(tmp_path):
    """An optional config.json beside the model is read."""
    touch(tmp_path / "m" / "1" / "model.onnx")
    touch(tmp_path / "m" / "1" / "config.json", '{"max_batch_size": 4}')
    assert locate(str(tmp_path), "m", "1", SUFFIXES).config == {"max_batch_size": 4}


def test_bytes_count_the_weights_beside_the_graph(tmp_path):
    """The size of a model includes external weights and leaves other models out."""
    touch(tmp_path / "t.onnx", "12345")
    touch(tmp_path / "t.onnx.data", "123")
    touch(tmp_path / "t.bin", "12")
    touch(tmp_path / "tt.onnx", "1234567")
    assert locate(str(tmp_path / "t.onnx"), "m", "1", SUFFIXES).bytes == 10


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("", "without a uri"),
        ("s3://bucket/model.onnx", "Only paths and file://"),
        ("missing.onnx", "There is no file or directory"),
        ("wrong.pt", "ends in '.pt'"),
        ("empty", "holds no model"),
        ("two", "several models"),
        ("broken", "is not JSON"),
        ("listed", "must hold a JSON object"),
    ],
)
def test_what_cannot_be_found_is_said(tmp_path, uri, sentence):
    """Each mistake has its sentence and the code load_failed."""
    touch(tmp_path / "wrong.pt")
    (tmp_path / "empty").mkdir()
    touch(tmp_path / "two" / "a.onnx")
    touch(tmp_path / "two" / "b.onnx")
    touch(tmp_path / "broken" / "model.onnx")
    touch(tmp_path / "broken" / "config.json", "{")
    touch(tmp_path / "listed" / "model.onnx")
    touch(tmp_path / "listed" / "config.json", "[]")
    with pytest.raises(Failed, match=sentence) as caught:
        locate(uri, "m", "1", SUFFIXES, root=str(tmp_path))
    assert caught.value.code == "load_failed"
