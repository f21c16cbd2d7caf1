"""ONNX models in onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper
from tests.unit.runtimes.opened import open_model

from scurry.runtimes import onnx as onnx_runtime
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec


def opened(path, config: str = "", threads: int = 2):
    """The model in that file."""
    return open_model("m", "1", ModelSpec(uri=str(path), runtime="onnx", config=config), threads=threads)


def test_the_signature_comes_from_the_model(linear):
    """Names, datatypes and shapes are the model's, free dimensions are -1."""
    model = opened(linear())
    assert model.inputs == (Port("x", "FP32", (-1, 3)),)
    assert model.outputs == (Port("y", "FP32", (-1, 2)),)
    assert (model.batched, model.max_batch_size, model.device, model.name) == (True, 32, "cpu", "onnx")


def test_it_computes(linear):
    """Answers are the matrix product, also of memory that may not be written."""
    rows = np.frombuffer(np.arange(6, dtype=np.float32).tobytes(), np.float32).reshape(2, 3)
    weights = np.array([[0, 1], [1, 2], [2, 3]], np.float32)
    np.testing.assert_array_equal(opened(linear()).run([rows])[0], rows @ weights)


@pytest.mark.parametrize("rows", [1, 4])
def test_fixed_rows_are_not_stacked(linear, rows):
    """A fixed first dimension is taken as it is."""
    model = opened(linear(rows=rows))
    assert (model.batched, model.max_batch_size) == (False, 1)
    assert model.run([np.zeros((rows, 3), np.float32)])[0].shape == (rows, 2)


def test_an_unnamed_free_dimension_is_free(linear):
    """A dimension without size or name is -1."""
    assert opened(linear(rows=None)).batched


def test_folded_rows_are_not_stacked(mean):
    """A model that averages its rows is found out at loading."""
    assert not opened(mean).batched


def test_texts(texts):
    """BYTES go through."""
    model = opened(texts)
    assert model.run([np.array([[b"a"], [b"bc"]], dtype=object)])[0].tolist() == [["a"], ["bc"]]


def native_threads() -> set[int]:
    """Those of this process, by id: others may end at any time."""
    return {each.id for each in psutil.Process().threads()}


def test_small_models_cost_no_threads(linear, monkeypatch):
    """However many small models are open, the process has no more threads, unless they turn out to be slow."""
    path = linear()
    opened(path)
    monkeypatch.setattr(onnx_runtime, "SLOW_SECONDS", 3600)  # a busy machine makes any model slow
    before = native_threads()
    models = [opened(path, threads=4) for _ in range(20)]
    assert native_threads() <= before
    assert all(model.bytes > 0 for model in models)
    monkeypatch.setattr(onnx_runtime, "SLOW_SECONDS", 0)
    slow = opened(path, threads=4)
    assert len(native_threads() - before) == 3, f"{slow} has a pool, this thread being one of it"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ('{"providers": ["NoSuchProvider"]}', "onnxruntime has no NoSuchProvider here; it has"),
        ('{"device": "cuda"}', "onnxruntime has no CUDAExecutionProvider here"),
        ('{"wings": 2}', "knows no option 'wings'"),
    ],
)
def test_what_is_not_here_fails_the_load(linear, config, sentence):
    """A missing device or an unknown option is an error at loading."""
    with pytest.raises(Failed, match=sentence) as caught:
        opened(linear(), config)
    assert caught.value.code == "load_failed"


def test_providers_may_be_named(linear):
    """The processor may be asked for by its provider's name."""
    assert opened(linear(), '{"providers": ["CPUExecutionProvider"], "threads": 1}').device == "cpu"


def test_a_file_that_is_no_model(tmp_path, capfd):
    """A broken file is one sentence, and nothing is printed beside it."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(Failed, match=r"onnxruntime cannot open .*model\.onnx: ") as caught:
        opened(path)
    assert "\n" not in caught.value.message
    assert capfd.readouterr() == ("", "")


def test_maps_are_refused_with_advice(tmp_path):
    """A sequence of maps, as skl2onnx writes for classifiers, is refused with the way out."""
    key = helper.make_tensor_type_proto(TensorProto.FLOAT, [None])
    output = helper.make_value_info(
        "z", helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, key))
    )
    nodes = [helper.make_node("ZipMap", ["x"], ["z"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])]
    graph = helper.make_graph(
        nodes, "zip", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])], [output]
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "zip.onnx")
    with pytest.raises(Failed, match=r"'z' of the model is a seq\(map.*zipmap=False"):
        opened(tmp_path / "zip.onnx")
