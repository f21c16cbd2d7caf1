"""What lies beside a model is told with its registration."""

import json

import pytest

from scurry.cli.beside import newest, place_of, told_beside
from scurry.cli.main import main

PBTXT = """
name: "m" backend: "onnxruntime" max_batch_size: 8
instance_group [ { count: 3 kind: KIND_CPU } ]
dynamic_batching { priority_levels: 2 default_priority_level: 2 default_queue_policy { max_queue_size: 5 } }
"""
QUEUE = {"priority_levels": 2, "default_priority_level": 2, "default_queue_policy": {"max_queue_size": 5}}


@pytest.fixture
def repository(tmp_path):
    """A model of Triton's, in two versions."""
    for version in ("9", "10"):
        folder = tmp_path / "repo" / "m" / version
        folder.mkdir(parents=True)
        (folder / "model.onnx").touch()
    (tmp_path / "repo" / "m" / "config.pbtxt").write_text(PBTXT)
    return tmp_path / "repo"


@pytest.mark.parametrize("uri", ["{0}", "{0}/m", "file://{0}", "file://localhost{0}/m"])
def test_a_folder_of_triton_is_registered_with_its_lanes_priorities_and_bounds(asker, repository, uri):
    """Its newest version, whichever of the folders was named, by path or `file://`."""
    uri = uri.format(repository)
    assert main(["models", "register", "m", "--uri", uri]) == 0
    told = asker.updates[0].register
    assert (told.version, told.uri) == ("10", uri)
    assert json.loads(told.config) == {"instance_group": [{"count": 3, "kind": "KIND_CPU"}], "dynamic_batching": QUEUE}


@pytest.mark.parametrize("below", ["m/9", "m/9/model.onnx"])
def test_so_is_a_version_by_its_own_path(asker, repository, below):
    """Its folder or its file: the version is as it was said, or the registry's to choose."""
    assert main(["models", "register", "m", "--uri", str(repository / below), "--version", "4"]) == 0
    assert main(["models", "register", "m", "--uri", str(repository / below)]) == 0
    assert [update.register.version for update in asker.updates] == ["4", ""]
    assert {json.loads(update.register.config)["dynamic_batching"] == QUEUE for update in asker.updates} == {True}


def test_what_is_said_explicitly_wins_name_by_name(asker, repository):
    """As the workers read it: an object that is given is the whole of it."""
    (repository / "c.json").write_text('{"dynamic_batching": {}, "threads": 2}')
    (repository / "m" / "10" / "config.json").write_text('{"instance_group": [{"count": 1}], "pool": "small"}')
    words = ["--config", str(repository / "c.json"), "--pool", "gpu"]
    assert main(["models", "register", "m", "--uri", str(repository), *words]) == 0
    assert json.loads(asker.updates[0].register.config) == {
        "instance_group": [{"count": 1}],
        "dynamic_batching": {},
        "threads": 2,
        "pool": "gpu",
    }


def test_what_cannot_be_read_is_left_to_the_worker(asker, repository):
    """A config that is none, a model that is not there, a place elsewhere."""
    (repository / "m" / "config.pbtxt").write_text("instance_group [")
    for uri in (str(repository), str(repository / "gone"), "s3://bucket/m", "file://host/m", "file:///gone"):
        assert main(["models", "register", "m", "--uri", uri, "--version", "9"]) == 0
    assert {update.register.config for update in asker.updates} == {""}


def test_a_name_that_is_no_file_s_is_the_registry_s_to_refuse(asker, repository):
    """Too long, or with what no name may hold."""
    for name in ("m" * 300, "a\0b", "/etc"):
        assert main(["models", "register", name, "--uri", str(repository)]) == 0
    assert place_of("x" * 5000) is None
    assert place_of("file:///a%00b") is None


def test_a_directory_with_a_model_in_it_has_no_versions(repository):
    """Directories called like numbers beside the model's file are its own affair; a SavedModel is one as well."""
    (repository / "m" / "model.onnx").touch()
    assert newest(repository / "m", "m", "") == ""
    assert newest(repository / "m" / "model.onnx", "m", "") == ""
    assert told_beside(repository / "m", "m", "", "onnx")["dynamic_batching"] == QUEUE


def test_what_its_worker_found_idle_is_said(asker, capsys):
    """Of the version that was registered, beside the result."""
    assert main(["models", "register", "digits", "--uri", "s3://bucket/digits", "--version", "1"]) == 0
    assert "scurry: digits: The warm-up failed." in capsys.readouterr().err


def test_the_file_that_the_config_names_is_the_one_beside_which_is_read(asker, repository):
    """A folder of two models has no config of its own choice; whoever registers one of them says which."""
    folder = repository / "m" / "10"
    (folder / "model.onnx").rename(folder / "one.onnx")
    (folder / "other.onnx").touch()
    (repository / "c.json").write_text('{"default_model_filename": "other.onnx"}')
    assert told_beside(folder, "m", "10", "onnx") == {}
    assert main(["models", "register", "m", "--uri", str(folder), "--config", str(repository / "c.json")]) == 0
    assert json.loads(asker.updates[0].register.config)["dynamic_batching"] == QUEUE
