"""Opening models by the name of a runtime, or without one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.unit.runtimes.opened import open_model

from scurry.rules import PERMISSIONS
from scurry.runtimes import catalog
from scurry.runtimes.catalog import BY_BACKEND, BY_SUFFIX, RUNTIMES, Opener, runtime_class
from scurry.runtimes.files import locate
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_entry_names_itself(name):
    """The catalogue and the classes agree on the names."""
    assert runtime_class(name).name == name


def test_what_can_run_code_is_allowed_by_a_name_that_settings_know():
    """Another name would be refused where the workers are started."""
    assert {name for name in RUNTIMES if runtime_class(name).runs_code} <= set(PERMISSIONS)


def test_every_way_to_name_a_runtime_leads_to_one():
    """Triton's words and suffixes of files: each runtime is found by one that it opens."""
    by_file = set(RUNTIMES) - {"ensemble"}  # which has none
    assert set(BY_BACKEND.values()) - {"ensemble"} < set(BY_SUFFIX.values()) == by_file  # Triton runs no Caffe networks
    assert all(suffix in runtime_class(name).suffixes for suffix, name in BY_SUFFIX.items())


def test_runtimes_import_no_framework():
    """A framework is imported only when a model asks for it."""
    program = (
        "import sys; from scurry.runtimes.catalog import RUNTIMES, runtime_class; [runtime_class(n) for n in RUNTIMES];"
        "print([m for m in ('onnxruntime', 'openvino', 'torch', 'tensorflow', 'cv2') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_suffix_names_the_runtime(linear, ir):
    """Without a runtime the file's name decides, also inside a directory."""
    assert open_model("m", "1", ModelSpec(uri=str(linear("plain/a.onnx")))).name == "onnx"
    assert open_model("m", "1", ModelSpec(uri=str(ir.parent))).name == "openvino"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["model.txt", "manifest.json"], "model.txt"),
        (["net.json", "manifest.json"], "net.json"),
        (["README.txt", "index.json", "m/1/model.onnx"], "m/1/model.onnx"),
        (["README.txt", "1/model.onnx"], "1/model.onnx"),
        (["only.json"], "only.json"),
    ],
)
def test_what_anything_may_be_called_comes_last(tmp_path, names, found):
    """What surely is a model comes first wherever it lies, and lists of checksums are none."""
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert Opener().find("m", "1", ModelSpec(uri=str(tmp_path))).file.path == tmp_path / found


@pytest.mark.parametrize(
    ("name", "text", "runtime"),
    [
        ("config.pbtxt", 'platform: "onnxruntime_onnx"', "onnx"),
        ("config.pbtxt", 'backend: "openvino"', "openvino"),
        ("config.json", '{"runtime": "openvino"}', "openvino"),
    ],
)
def test_the_config_beside_names_the_runtime(linear, name, text, runtime):
    """In Triton's words or ours, before the file's name; what was registered wins over both."""
    path = linear("here/model.onnx")
    (path.parent / name).write_text(text)
    assert open_model("m", "1", ModelSpec(uri=str(path.parent))).name == runtime
    assert open_model("m", "1", ModelSpec(uri=str(path.parent), runtime="onnx")).name == "onnx"


def test_a_backend_that_is_not_here_is_said(linear):
    """With those that are."""
    path = linear("here/model.onnx")
    (path.parent / "config.pbtxt").write_text('backend: "tensorrt"')
    with pytest.raises(Failed, match="asks for 'tensorrt'; there are ensemble, onnx, openvino"):
        open_model("m", "1", ModelSpec(uri=str(path)))


@pytest.mark.parametrize("told", [{"runtime": "openvino"}, {"backend": "openvino"}, {"platform": "openvino"}])
def test_what_was_registered_names_the_runtime(linear, told):
    """Before what lies beside the model; a runtime that was named by itself wins over both."""
    path = linear("here/model.onnx")
    (path.parent / "config.json").write_text('{"runtime": "onnx"}')
    spec = ModelSpec(uri=str(path.parent), config=json.dumps(told))
    assert open_model("m", "1", spec).name == "openvino"
    spec.runtime = "onnx"
    assert open_model("m", "1", spec).name == "onnx"


def test_what_was_registered_names_the_file(linear):
    """Which of several it is; a uri that names another one is refused, and so is a file that is not there."""
    path, other = linear("here/model.onnx"), linear("here/other.onnx")
    (path.parent / "config.json").write_text('{"default_model_filename": "model.onnx"}')
    opener, uri, config = Opener(), str(path.parent), '{"default_model_filename": "other.onnx"}'
    for runtime in ("", "onnx", "openvino"):
        assert opener.find("m", "1", ModelSpec(uri=uri, config=config, runtime=runtime)).file.path == other
    assert opener.find("m", "1", ModelSpec(uri=str(other), config=config)).file.path == other
    with pytest.raises(Failed, match=r"names 'model\.onnx', but default_model_filename in the config 'other\.onnx'"):
        opener.find("m", "1", ModelSpec(uri=str(path), config=config))
    for name in ("none.onnx", "../here/other.onnx"):
        with pytest.raises(Failed, match=rf"There is no file '{name}' in .*, which default_model_filename"):
            opener.find("m", "1", ModelSpec(uri=uri, config=config.replace("other.onnx", name)))


def test_a_config_that_is_none_is_left_to_who_opens_the_model(linear):
    """He says what is wrong with it."""
    for config in ("{", "[1]", "[]"):
        assert Opener().find("m", "1", ModelSpec(uri=str(linear()), config=config)).runtime.name == "onnx"


def test_a_triton_config_is_what_the_model_is_opened_by(linear):
    """Its batch, its warm-up; what it states of the tensors is held against the model."""
    path = linear("m/1/model.onnx")
    tensor = 'name: "x" data_type: TYPE_FP32 dims: [ 3 ]'
    warm = 'model_warmup { name: "w" inputs { key: "x" value { data_type: TYPE_FP32 dims: 3 zero_data: true } } }'
    (path.parent.parent / "config.pbtxt").write_text(f"max_batch_size: 4 input [ {{ {tensor} }} ] {warm}")
    opened = open_model("m", "1", ModelSpec(uri=str(path.parent.parent.parent)))
    assert (opened.max_batch_size, opened.warnings) == (4, [])
    other = tensor.replace("[ 3 ]", "[ 5 ]")
    (path.parent.parent / "config.pbtxt").write_text(f"max_batch_size: 4 input [ {{ {other} }} ]")
    with pytest.raises(Failed, match=r"'x' as \[5\] behind the batch dimension; it is \[-1, 3\]"):
        open_model("m", "1", ModelSpec(uri=str(path.parent.parent.parent)))


def test_files_are_looked_for_once(linear, ir, monkeypatch):
    """Also without a runtime, unless that prefers another file of the directory."""
    looks: list[str] = []

    def counted(uri, *rest, **named):
        looks.append(uri)
        return locate(uri, *rest, **named)

    monkeypatch.setattr(catalog, "locate", counted)
    path = linear("both/model.onnx")
    assert Opener().find("m", "1", ModelSpec(uri=str(path.parent))).file.path == path
    assert len(looks) == 1
    (path.parent / "model.xml").write_bytes((ir.parent / "model.xml").read_bytes())
    (path.parent / "config.json").write_text('{"runtime": "openvino"}')
    assert Opener().find("m", "1", ModelSpec(uri=str(path.parent))).file.path.name == "model.xml"


def test_an_unknown_runtime_is_said():
    """An unknown runtime lists the known ones."""
    with pytest.raises(Failed, match=r"no runtime 'abacus'; there are onnx, openvino, torch, .*ensemble"):
        open_model("m", "1", ModelSpec(uri="x", runtime="abacus"))


def test_only_the_config_asks_for_a_batch(linear):
    """max_batch_size of the spec is what another worker found: no wish, and nothing is stacked because of it."""
    uri = str(linear())
    assert open_model("m", "1", ModelSpec(uri=uri, max_batch_size=8)).max_batch_size == 32
    spec = ModelSpec(uri=uri, max_batch_size=8, config='{"max_batch_size": 5}')
    assert open_model("m", "1", spec).max_batch_size == 5


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_missing_framework_says_how_to_install_it(tmp_path, monkeypatch, name):
    """Without its framework a runtime fails at loading, with the command that helps."""
    cls = runtime_class(name)
    path = tmp_path / f"model{next(each for each in reversed(cls.suffixes) if each != '.savedmodel')}"
    path.touch()
    monkeypatch.setitem(sys.modules, cls.module, None)
    with pytest.raises(Failed, match=rf"needs {cls.framework}.*pip install 'scurry\[{name}\]'") as caught:
        open_model("m", "1", ModelSpec(uri=str(path), runtime=name))
    assert caught.value.code == "load_failed"


def test_files_that_change_while_they_are_opened_are_refused(linear):
    """What is open is what the fingerprint says."""
    opener, path = Opener(), linear()
    subject = opener.find("m", "1", ModelSpec(uri=str(path)))
    assert (subject.bytes, subject.file.path, len(subject.fingerprint)) == (path.stat().st_size, path, 32)
    (path.parent / "config.json").write_text("{}")
    with pytest.raises(Failed, match="was changed while it was opened"):
        opener.open(subject, "")
    assert opener.find("m", "1", ModelSpec(uri=str(path))).fingerprint != subject.fingerprint
