"""Graphs whose work depends on values are known, in every format."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper
from tests.unit.runtimes.opened import open_model

from scurry.runtimes import graphs
from scurry.wire.messages_pb2 import ModelSpec


def node(tmp_path, operator):
    """A file with one node."""
    kind = TensorProto.INT64 if operator == "NonZero" else TensorProto.FLOAT
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 2])
    y = helper.make_tensor_value_info("y", kind, ["a", "b"])
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "g", [x], [y])
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.mark.parametrize(("operator", "depends"), [("Relu", False), ("NonZero", True)])
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_a_graph_whose_work_depends_on_its_input_is_known(tmp_path, operator, depends, runtime):
    """Its time tells nothing of the next request's: it never runs in the event loop, whoever opened it."""
    path = node(tmp_path, operator)
    assert open_model("m", "1", ModelSpec(uri=str(path), runtime=runtime)).depends is depends


@pytest.mark.parametrize(("operator", "depends"), [("Relu", False), ("NonZero", True)])
def test_so_is_one_in_the_format_of_onnxruntime(tmp_path, operator, depends):
    """Flatbuffers spell names otherwise."""
    onnxruntime = pytest.importorskip("onnxruntime")
    settings = onnxruntime.SessionOptions()
    settings.optimized_model_filepath = str(tmp_path / "m.ort")
    settings.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(str(node(tmp_path, operator)), settings, providers=["CPUExecutionProvider"])
    assert graphs.depends_on_values(tmp_path / "m.ort") is depends


@pytest.mark.parametrize(("kind", "depends"), [("Relu", False), ("Loop", True), ("TensorIterator", True)])
def test_so_is_one_of_openvino(tmp_path, kind, depends):
    """Its graph is XML."""
    path = tmp_path / "m.xml"
    path.write_text(f'<net><layers><layer id="0" name="If" type="{kind}" version="opset5"/></layers></net>')
    assert graphs.depends_on_values(path) is depends


def test_a_large_file_is_not_looked_at(tmp_path, monkeypatch):
    """It is taken to depend."""
    monkeypatch.setattr(graphs, "LARGEST_BYTES", 10)
    assert graphs.depends_on_values(node(tmp_path, "Relu"))


def test_formats_that_are_not_looked_at_may_depend_on_anything(tmp_path):
    """Directories as well."""
    (tmp_path / "model.tflite").touch()
    assert graphs.depends_on_values(tmp_path / "model.tflite")
    assert graphs.depends_on_values(tmp_path)
