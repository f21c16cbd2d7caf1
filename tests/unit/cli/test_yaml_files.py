"""Declarations on disk."""

import importlib
import io

import pytest

from scurry.cli import yaml_files
from scurry.wire.errors import InvalidRequest


def test_json_and_yaml_are_read(tmp_path, monkeypatch):
    """By what they hold, not by their name; `-` is the standard input."""
    file = tmp_path / "models"
    for text in ('{"a": [1]}', "a:\n- 1\n", "a: [1] # one"):
        file.write_text(text)
        assert yaml_files.read(str(file)) == {"a": [1]}
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": 2}'))
    assert yaml_files.read("-") == {"b": 2}
    assert yaml_files.dump({"b": 1, "a": "ü"}) == "b: 1\na: ü"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b'{"a": ', "is not JSON"), (b"a: [", "neither JSON nor YAML"), (b"\xff", "cannot be read"),
     (b"!!python/object/apply:os.system [ls]", "neither JSON nor YAML")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(tmp_path, content, words):
    """In one sentence; nothing in a file is carried out."""
    file = tmp_path / "models"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match=words) as refused:
        yaml_files.read(str(file))
    assert "\n" not in refused.value.message
    with pytest.raises(InvalidRequest, match="cannot be read"):
        yaml_files.read(str(tmp_path / "none"))


def test_without_pyyaml_json_is_read_and_yaml_says_what_is_missing(tmp_path, monkeypatch):
    """It is an extra."""

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(yaml_files, "import_module", missing)
    file = tmp_path / "models"
    file.write_text("{}")
    assert yaml_files.read(str(file)) == {}
    file.write_text("a: 1")
    with pytest.raises(InvalidRequest, match=r"pip install 'scurry\[yaml\]'"):
        yaml_files.read(str(file))
    assert importlib.import_module("yaml")
