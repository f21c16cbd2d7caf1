"""Opens a model together with what its config puts before and after it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from scurry.inference.opening import PipelineOpener
from scurry.inference.pipeline import Pipeline
from scurry.runtimes.catalog import Opener
from scurry.runtimes.onnx import OnnxRuntime
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

AFTER = {"postprocessing": [{"argmax": True, "labels": "labels.txt"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A version of a model that gives what it is sent, with labels above it."""
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", infos[:1], infos[1:])
    made = tmp_path / "model" / "1"
    made.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, made / "model.onnx")
    (made.parent / "labels.txt").write_text("no\nyes\n")
    return made


def opened(folder: Path, config: dict, root: str = ""):
    """The model of a folder."""
    spec, opener = ModelSpec(uri=str(folder), config=json.dumps(config)), PipelineOpener(Opener(1, root), root)
    return opener.open(opener.find("model", "1", spec), spec.config)


def test_without_steps_it_is_the_bare_model(folder):
    """Which pays nothing for what it does not use."""
    assert type(opened(folder, {})) is OnnxRuntime
    assert type(opened(folder, {"preprocessing": [], "postprocessing": []})) is OnnxRuntime


def test_with_steps_it_is_a_pipeline(folder):
    """With labels out of a file beside the model, or above its version."""
    made = opened(folder, AFTER)
    assert type(made) is Pipeline
    assert [each.tolist() for each in made.run([np.float32([[1, 2], [2, 1]])])] == [[1, 0], [b"yes", b"no"]]
    (folder / "labels.txt").write_text("nein\nja")
    assert opened(folder, AFTER).run([np.float32([[1, 2]])])[1].tolist() == [b"ja"]


def test_steps_may_lie_beside_the_model(folder):
    """What it was registered with counts before that."""
    (folder / "config.json").write_text(json.dumps({"postprocessing": [{"to": "beside"}]}))
    assert opened(folder, {}).outputs[0].name == "beside"
    assert opened(folder, {"postprocessing": [{"to": "given"}]}).outputs[0].name == "given"


def test_files_that_steps_name_are_part_of_what_the_model_is(folder):
    """Other labels are another model: the fingerprint tells, also between finding and opening."""
    opener, spec = PipelineOpener(Opener()), ModelSpec(uri=str(folder), config=json.dumps(AFTER))
    first = opener.find("model", "1", spec)
    (folder.parent / "labels.txt").write_text("yes\nno\n\n")
    assert opener.find("model", "1", spec).fingerprint != first.fingerprint
    assert opener.find("model", "1", ModelSpec(uri=str(folder))).fingerprint != first.fingerprint
    with pytest.raises(Failed, match="was changed while it was opened"):
        opener.open(first, spec.config)


@pytest.mark.parametrize("name", ["../labels.txt", "/etc/passwd", "a/b", ".."])
def test_a_file_that_lies_elsewhere_is_refused(folder, name):
    """Only names are taken."""
    with pytest.raises(Failed, match="beside"):
        opened(folder, {"postprocessing": [{"argmax": True, "labels": name}]})


def test_a_link_out_of_the_models_root_is_refused(folder, tmp_path):
    """As with a model's weights."""
    (tmp_path / "secret.txt").write_text("a\nb\n")
    (folder / "secret.txt").symlink_to(tmp_path / "secret.txt")
    config = {"postprocessing": [{"argmax": True, "labels": "secret.txt"}]}
    assert opened(folder, config).run([np.float32([[1, 2]])])[1].tolist() == [b"b"]
    with pytest.raises(Failed, match="lies outside of"):
        opened(folder, config, str(folder.parent))


def test_a_file_that_is_missing_or_no_text_is_refused(folder):
    """With its name."""
    with pytest.raises(Failed, match=r"There is no file 'gone.txt' beside"):
        opened(folder, {"postprocessing": [{"argmax": True, "labels": "gone.txt"}]})
    (folder / "labels.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(Failed, match="is not UTF-8 text"):
        opened(folder, AFTER)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"preprocesing": []}, r"Was 'preprocessing' meant\?"),
        ({"preprocessing": 3}, "preprocessing in the config must be a list, not 3"),
        ({"postprocessing": [3]}, r"postprocessing\[0\] in the config must be an object"),
        ({"postprocessing": [{"labels": 3}]}, "labels in the config must be a list of texts"),
        ({"preprocessing": [{"lookup": {"vocabulary": "gone.txt"}}]}, "There is no file 'gone.txt'"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder, config, sentence):
    """As `load_failed`, which the registry answers."""
    with pytest.raises(Failed, match=sentence) as failure:
        opened(folder, config)
    assert failure.value.code == "load_failed"


def test_what_is_open_already_is_closed_when_its_steps_do_not_fit(folder, monkeypatch):
    """A model may have a process of its own."""
    closed = []
    monkeypatch.setattr(OnnxRuntime, "close", lambda *models: closed.extend(models))
    with pytest.raises(Failed, match="must be a list, not 3"):
        opened(folder, {"preprocessing": 3})
    assert len(closed) == 1


def test_first_states_are_part_of_what_the_model_is(folder, tmp_path):
    """Another content is another model; a link out of the models' root is refused."""
    state = {"input_name": "x", "output_name": "y", "data_type": "TYPE_FP32", "dims": [2]}
    state["initial_state"] = {"data_type": "TYPE_FP32", "dims": [2], "data_file": "first", "name": "f"}
    spec = ModelSpec(uri=str(folder), config=json.dumps({"sequence_batching": {"state": [state]}}))
    (folder / "initial_state").mkdir()
    file = folder / "initial_state" / "first"
    found = []
    for content in (b"12345678", b"87654321"):
        file.write_bytes(content)
        found.append(PipelineOpener(Opener()).find("model", "1", spec).fingerprint)
    assert found[0] != found[1]
    away = tmp_path / "away"
    (folder / "initial_state").rename(away)
    (folder / "initial_state").symlink_to(away)
    with pytest.raises(Failed, match="lies outside of"):
        PipelineOpener(Opener(1, str(folder)), str(folder)).find("model", "1", spec)


def test_labels_of_outputs_are_read_and_change_nothing_else(folder):
    """Beside the model or above its version, as Triton has them; its identity is that of its model."""
    config = {"output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [2], "label_filename": "labels.txt"}]}
    config["max_batch_size"] = 4
    made = opened(folder, config)
    assert (type(made), made.labels) == (OnnxRuntime, {"y": ["no", "yes"]})
    steps = {**config, "postprocessing": [{"softmax": True}]}
    assert opened(folder, steps).labels == {"y": ["no", "yes"]}
    spec = ModelSpec(uri=str(folder), config=json.dumps(config))
    before = PipelineOpener(Opener()).find("model", "1", spec).fingerprint
    (folder.parent / "labels.txt").unlink()
    assert PipelineOpener(Opener()).find("model", "1", spec).fingerprint == before
    made = opened(folder, config)
    assert made.labels == {}
    assert "Classes of output 'y' have no labels: There is no file 'labels.txt'" in made.warnings[-1]
