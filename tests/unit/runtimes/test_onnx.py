"""ONNX models in onnxruntime."""

from __future__ import annotations

import warnings

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
from scurry.wire.tensors import DTYPES


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


def graph(path, nodes, inputs, outputs, *weights, opset=17):
    """Any graph, saved."""
    made = helper.make_graph(nodes, "test", inputs, outputs, list(weights))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=9), path)
    return path


def tensor(name, kind, shape):
    """One input or output of a graph."""
    return helper.make_tensor_value_info(name, kind, shape)


@pytest.mark.parametrize("labels", [{"classlabels_int64s": [7, -1]}, {"classlabels_strings": ["wolf", "ant"]}])
def test_a_list_of_maps_is_answered_as_rows(tmp_path, labels):
    """As scikit-learn's classifiers are exported: a column for each key, in their order, and the record says so."""
    key = TensorProto.INT64 if "classlabels_int64s" in labels else TensorProto.STRING
    number = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    kind = helper.make_sequence_type_proto(helper.make_map_type_proto(key, number))
    nodes = [helper.make_node("ZipMap", ["x"], ["z"], domain="ai.onnx.ml", **labels)]
    inputs, output = [tensor("x", TensorProto.FLOAT, [None, 2])], helper.make_value_info("z", kind)
    model = opened(graph(tmp_path / "zip.onnx", nodes, inputs, [output]))
    assert model.outputs == (Port("z", "FP32", (-1, -1)),)
    said = "Output 'z' is a list of maps: it is answered as a row for each, in the order of the keys."
    assert model.warnings == [said]
    assert model.run([np.array([[1, 2], [3, 4]], np.float32)])[0].tolist() == [[2, 1], [4, 3]]


def test_a_list_of_tensors_is_refused(tmp_path):
    """It is no tensor, and its elements may be of any shape."""
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    nodes = [helper.make_node("SequenceConstruct", ["x", "x"], ["s"])]
    outputs = [helper.make_value_info("s", kind)]
    path = graph(tmp_path / "s.onnx", nodes, [tensor("x", TensorProto.FLOAT, ["n", 2])], outputs)
    with pytest.raises(Failed, match=r"'s' of the model is a seq\(tensor\(float\)\); only tensors of numbers"):
        opened(path)


def test_several_inputs_and_outputs_scalars_and_empty_ones(tmp_path):
    """A scalar, a free inner dimension, a dimension of no length: each as onnxruntime has it."""
    nodes = [helper.make_node("Add", ["x", "s"], ["y"]), helper.make_node("Shape", ["x"], ["z"])]
    inputs = [tensor("x", TensorProto.FLOAT, ["n", "m"]), tensor("s", TensorProto.FLOAT, [])]
    outputs = [tensor("y", TensorProto.FLOAT, ["n", "m"]), tensor("z", TensorProto.INT64, [2])]
    model = opened(graph(tmp_path / "m.onnx", nodes, inputs, outputs))
    shapes = {port.name: port.shape for port in (*model.inputs, *model.outputs)}
    assert shapes == {"x": (-1, -1), "s": (), "y": (-1, -1), "z": (2,)}
    for shape in ((2, 3), (0, 4), (3, 0)):
        y, z = model.run([np.ones(shape, np.float32), np.array(2, np.float32)])
        assert (y.shape, z.tolist(), set(y.ravel().tolist()) <= {3.0}) == (shape, list(shape), True)


NAMES = {"FP16": "FLOAT16", "BF16": "BFLOAT16", "FP32": "FLOAT", "FP64": "DOUBLE", "BYTES": "STRING"}


@pytest.mark.parametrize("datatype", [*DTYPES, "BYTES"])
def test_every_datatype_goes_in_and_comes_out(tmp_path, datatype):
    """Also stacked, also those that numpy does not have."""
    nodes, kind = [helper.make_node("Identity", ["x"], ["y"])], getattr(TensorProto, NAMES.get(datatype, datatype))
    model = opened(graph(tmp_path / "m.onnx", nodes, [tensor("x", kind, ["n", 2])], [tensor("y", kind, ["n", 2])]))
    assert (model.inputs[0].datatype, model.outputs[0].datatype, model.batched) == (datatype, datatype, True)
    if datatype == "BYTES":
        assert model.run([np.array([[b"0", b"1"]], object)])[0].tolist() == [["0", "1"]]
        return
    given = np.array([[0, 1]], DTYPES[datatype])
    output = model.run([given])[0]
    assert (output.dtype, output.tolist()) == (DTYPES[datatype], given.tolist())


def test_bf16_is_computed_beside_fp32(tmp_path):
    """And an output of no length is one."""
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "f"], ["z"]),
        helper.make_node("Cast", ["z"], ["y"], to=TensorProto.BFLOAT16),
    ]
    outputs = [tensor("y", TensorProto.BFLOAT16, ["n", 2]), tensor("z", TensorProto.FLOAT, ["n", 2])]
    model = opened(graph(tmp_path / "m.onnx", nodes, [tensor("x", TensorProto.BFLOAT16, ["n", 2])], outputs))
    y, z = model.run([np.array([[1.5, -2]], DTYPES["BF16"])])
    assert (y.tolist(), z.tolist(), y.dtype) == ([[3, -4]], [[3, -4]], DTYPES["BF16"])
    assert model.run([np.zeros((0, 2), DTYPES["BF16"])])[0].shape == (0, 2)


def test_an_optional_output_is_served_where_it_is_given(tmp_path):
    """It is a tensor to whoever asks."""
    inner = helper.make_tensor_type_proto(TensorProto.FLOAT, ["n", 2])
    output = helper.make_value_info("o", helper.make_optional_type_proto(inner))
    nodes = [helper.make_node("Optional", ["x"], ["o"])]
    model = opened(graph(tmp_path / "o.onnx", nodes, [tensor("x", TensorProto.FLOAT, ["n", 2])], [output]))
    assert model.outputs[0].datatype == "FP32"
    assert model.run([np.ones((1, 2), np.float32)])[0].tolist() == [[1, 1]]


def test_a_quantised_model_is_served(linear, tmp_path):
    """As onnxruntime's own tools make one of another."""
    from onnxruntime import InferenceSession, quantization

    rows = np.random.default_rng(0).random((8, 3)).astype(np.float32)
    rest = [{"x": row[None]} for row in rows]

    class Reader(quantization.CalibrationDataReader):
        def get_next(self):
            return rest.pop() if rest else None

    path = tmp_path / "quantised.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantization.quantize_static(linear(), path, Reader(), quant_format=quantization.QuantFormat.QDQ)
    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    model = opened(path)
    assert model.batched
    np.testing.assert_array_equal(model.run([rows])[0], session.run(None, {"x": rows})[0])


def test_parameters_set_the_session(linear):
    """In Triton's words; those that mean nothing here are named, and values are checked."""
    config = '{"parameters": {"intra_op_thread_count": {"string_value": "2"}, "enable_mem_pattern": 0, "wings": "2"}}'
    model = opened(linear(), config)
    assert model.warnings == ["wings in parameters without effect here."]
    settings = model._session.get_session_options()
    assert (settings.intra_op_num_threads, settings.enable_mem_pattern) == (2, False)
    with pytest.raises(Failed, match="'execution_mode' must be one of 0, 1, not '7'"):
        opened(linear(), '{"parameters": {"execution_mode": "7"}}')


def test_a_provider_may_have_options(linear):
    """As onnxruntime takes them."""
    assert opened(linear(), '{"providers": [["CPUExecutionProvider", {"use_arena": "0"}]]}').device == "cpu"


def test_an_unsupported_operator_is_refused(tmp_path):
    """By a sentence that names it."""
    nodes = [helper.make_node("Wing", ["x"], ["y"])]
    ports = [tensor(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    with pytest.raises(Failed, match="Wing") as caught:
        opened(graph(tmp_path / "m.onnx", nodes, ports[:1], ports[1:]))
    assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)
