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
    """A relative uri is looked up below the models' root, an absolute one must lie there."""
    path = touch(tmp_path / "deep" / "model.onnx")
    assert locate("deep", "m", "1", SUFFIXES, root=str(tmp_path)).path == path
    assert locate(str(path), "m", "1", SUFFIXES, root=str(tmp_path)).path == path


@pytest.mark.parametrize(
    "uri",
    [
        "{outside}/model.onnx",
        "{outside}",
        "../outside",
        "linked",
        "linked.onnx",
        "dir",
        "weights",
        "config",
        "deep/../..",
    ],
)
def test_the_root_is_a_jail(tmp_path, uri):
    """Nothing of a model lies outside of the root, neither by name nor by a link: file, directory, weights, config."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    target = touch(outside / "model.onnx")
    touch(outside / "config.json", "{}")
    touch(root / "deep" / "model.onnx")
    (root / "linked").symlink_to(outside)
    (root / "linked.onnx").symlink_to(target)
    (root / "dir").mkdir()
    (root / "dir" / "m").symlink_to(outside)
    (root / "dir" / "model.onnx").symlink_to(target)
    touch(root / "weights" / "model.onnx")
    (root / "weights" / "model.onnx.data").symlink_to(target)
    touch(root / "config" / "model.onnx")
    (root / "config" / "config.json").symlink_to(outside / "config.json")
    with pytest.raises(Failed, match="lies outside of") as caught:
        locate(uri.format(outside=outside), "m", "1", SUFFIXES, root=str(root))
    assert caught.value.code == "load_failed"


def test_links_within_the_root_are_followed(tmp_path):
    """As Kubernetes' mounts and the caches of model hubs have them."""
    touch(tmp_path / "blobs" / "abc")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.onnx").symlink_to(tmp_path / "blobs" / "abc")
    root = tmp_path.parent / "by-link"
    root.symlink_to(tmp_path)
    assert locate("m", "m", "1", SUFFIXES, root=str(root)).path == root / "m" / "model.onnx"


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


def test_what_else_lies_in_a_directory_costs_nothing(tmp_path, monkeypatch):
    """A thousand models in one directory are found by name: it is never listed for one of them."""
    touch(tmp_path / "t.onnx")
    touch(tmp_path / "t.onnx_data")
    monkeypatch.setattr(Path, "iterdir", None)
    file = locate(str(tmp_path / "t.onnx"), "m", "1", SUFFIXES)
    assert file.parts == [tmp_path / "t.onnx", tmp_path / "t.onnx_data"]


def test_a_name_may_be_as_long_as_names_are(tmp_path):
    """What would be beside it has none."""
    path = touch(tmp_path / f"{'m' * 250}.onnx", "123")
    assert locate(str(path), "m", "1", SUFFIXES).bytes == 3


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


def test_a_triton_repository_is_served_as_it_lies(tmp_path):
    """The config above the version, the file that it names among several; a config.json wins over it."""
    text = 'max_batch_size: 4 default_model_filename: "b.onnx" instance_group { count: 2 }'
    touch(tmp_path / "m" / "config.pbtxt", text)
    touch(tmp_path / "m" / "1" / "a.onnx")
    named = touch(tmp_path / "m" / "1" / "b.onnx")
    touch(tmp_path / "m" / "1" / "config.json", '{"max_batch_size": 9}')
    file = locate(str(tmp_path), "m", "1", SUFFIXES)
    assert file.path == named
    assert file.config == {
        "max_batch_size": 9, "default_model_filename": "b.onnx", "instance_group": [{"count": 2}],
    }  # fmt: skip
    assert {path.name for path in file.all} == {"b.onnx", "config.json", "config.pbtxt"}


def test_a_config_above_is_the_models_only_where_a_version_lies_below(tmp_path):
    """Beside a single file lies what belongs to it; what lies above that is somebody else's."""
    touch(tmp_path / "config.pbtxt", "max_batch_size: 4")
    assert locate(str(touch(tmp_path / "files" / "m.onnx")), "m", "1", SUFFIXES).config == {}
    assert locate(str(touch(tmp_path / "m.onnx")), "m", "1", SUFFIXES).config == {"max_batch_size": 4}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max_batch_size", "is not text that protobuf can read: 1:"),
        ('default_model_filename: "../m.onnx"', "no file '../m.onnx'"),
        ('default_model_filename: "gone.onnx"', "no file 'gone.onnx'"),
        ('default_model_filename: "model.pt"', "is none of .xml or .onnx"),
    ],
)
def test_what_is_wrong_with_a_triton_config_is_said(tmp_path, text, sentence):
    """By its path, and where in it."""
    touch(tmp_path / "m" / "config.pbtxt", text)
    touch(tmp_path / "m" / "1" / "model.onnx")
    touch(tmp_path / "m" / "1" / "model.pt")
    with pytest.raises(Failed, match=sentence):
        locate(str(tmp_path), "m", "1", SUFFIXES)


FOLDER = (".savedmodel",)


def saved(folder: Path) -> Path:
    """A SavedModel, as far as anybody looks before it is opened."""
    touch(folder / "saved_model.pb", "graph")
    touch(folder / "variables" / "variables.index", "weights")
    return folder


@pytest.mark.parametrize("place", ["", "saved_model", "m/1/model.savedmodel", "m/1", "1/a.savedmodel"])
def test_a_directory_may_be_the_model(tmp_path, place):
    """TensorFlow's: given itself, or found where Triton and TensorFlow Serving have it; all its files are its parts."""
    path = saved(tmp_path / place)
    found = locate(str(tmp_path), "m", "1", (*FOLDER, ".onnx"))
    assert found.path == path
    assert found.parts == [path / "saved_model.pb", path / "variables" / "variables.index"]
    assert found.bytes == len("graph") + len("weights")


def test_a_directory_may_be_named_by_a_triton_config(tmp_path):
    """As the default of Triton's TensorFlow backend, written out."""
    touch(tmp_path / "m" / "config.pbtxt", 'default_model_filename: "mine.savedmodel"')
    saved(tmp_path / "m" / "1" / "other.savedmodel")
    path = saved(tmp_path / "m" / "1" / "mine.savedmodel")
    assert locate(str(tmp_path), "m", "1", FOLDER).path == path


@pytest.mark.parametrize(
    ("place", "config"),
    [("m/1/model.savedmodel", "m/1/config.json"), ("m/1/saved_model", "m/config.pbtxt"), ("m/1", "m/1/config.json")],
)
def test_the_config_of_such_a_directory_lies_beside_it(tmp_path, place, config):
    """Or in it, where the directory of the version is the model itself."""
    saved(tmp_path / place)
    text = "max_batch_size: 3" if config.endswith("pbtxt") else '{"max_batch_size": 3}'
    path = touch(tmp_path / config, text)
    found = locate(str(tmp_path), "m", "1", FOLDER)
    assert found.config == {"max_batch_size": 3}
    assert found.all.count(path) == 1


def test_a_directory_that_is_no_model_is_none(tmp_path):
    """Whatever it is called."""
    touch(tmp_path / "model.savedmodel" / "hello")
    with pytest.raises(Failed, match=r"holds no model: looked for a file ending in \.savedmodel"):
        locate(str(tmp_path), "m", "1", FOLDER)


def test_links_out_of_such_a_directory_are_refused(tmp_path):
    """To a file or to a directory."""
    root = tmp_path / "root"
    touch(tmp_path / "outside" / "secret")
    for name, target in (("a", tmp_path / "outside"), ("b", tmp_path / "outside" / "secret")):
        path = saved(root / name)
        (path / "assets").symlink_to(target)
        with pytest.raises(Failed, match="lies outside of"):
            locate(str(path), "m", "1", FOLDER, root=str(root))


def test_a_directory_without_end_is_no_model(tmp_path):
    """Neither one that leads back into itself."""
    path = saved(tmp_path / "m")
    (path / "again").symlink_to(path)
    for each in range(300):
        touch(path / str(each))
    with pytest.raises(Failed, match="more than 10000 files"):
        locate(str(path), "m", "1", FOLDER)


def test_versions_that_are_there_are_named(tmp_path: Path) -> None:
    """Whoever names none gets one more than the last, which may not be there."""
    (tmp_path / "1").mkdir()
    with pytest.raises(Failed, match=r"in m/2 and in 2; there is a version 1\.$"):
        locate(str(tmp_path), "m", "2", (".onnx",))
