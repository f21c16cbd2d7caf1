"""OpenVINO IR and ONNX in OpenVINO."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.unit.runtimes import paddle
from tests.unit.runtimes.conftest import save, value
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec
from scurry.wire.tensors import DTYPES

openvino = pytest.importorskip("openvino")
WEIGHTS = np.array([[0, 1], [1, 2], [2, 3]], np.float32)


def opened(path, config: str = ""):
    """The model in that file."""
    return open_model("m", "1", ModelSpec(uri=str(path), runtime="openvino", config=config), threads=1)


def test_ir_and_onnx_are_the_same_model(ir, linear):
    """Both formats give the same signature and the same answers."""
    rows = np.frombuffer(np.arange(6, dtype=np.float32).tobytes(), np.float32).reshape(2, 3)
    for path in (ir, linear("plain/model.onnx")):
        model = opened(path)
        assert model.inputs == (Port("x", "FP32", (-1, 3)),)
        assert (model.batched, model.max_batch_size, model.device) == (True, 32, "cpu")
        np.testing.assert_array_equal(model.run([rows])[0], rows @ WEIGHTS)


def test_answers_outlive_the_next_run(ir):
    """An answer is a copy: the next run does not write into it."""
    model = opened(ir)
    first = model.run([np.ones((1, 3), np.float32)])[0]
    model.run([np.zeros((1, 3), np.float32)])
    assert first.tolist() == [[3.0, 6.0]]


def test_it_may_run_at_once(ir):
    """Each run borrows an infer request of its own."""
    model = opened(ir)
    rows = [np.full((1, 3), at, np.float32) for at in range(50)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda row: model.run([row])[0].tolist(), rows))
    assert answers == [[[3.0 * at, 6.0 * at]] for at in range(50)]


def test_fixed_rows_are_not_stacked(linear):
    """A fixed first dimension is taken as it is."""
    assert not opened(linear(rows=1)).batched


def test_an_absent_device_is_said(ir):
    """A device that is not here is an error at loading, with those that are."""
    with pytest.raises(Failed, match="OpenVINO has no device NPU here; it has CPU") as caught:
        opened(ir, '{"device": "npu"}')
    assert caught.value.code == "load_failed"


@pytest.mark.parametrize("device", ["auto", "hetero:cpu", "multi:cpu"])
def test_devices_that_choose_compute_as_the_processor_does(ir, device):
    """Their answers are those in FP32 too."""
    rows = np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32)
    model = opened(ir, json.dumps({"device": device}))
    assert model.device == device
    np.testing.assert_array_equal(model.run([rows])[0], opened(ir).run([rows])[0])


def test_a_file_that_is_no_model(tmp_path):
    """A broken file is one sentence."""
    path = tmp_path / "model.xml"
    path.write_text("<net/>")
    with pytest.raises(Failed, match=r"OpenVINO cannot open .*model\.xml") as caught:
        opened(path)
    assert "\n" not in caught.value.message


def test_a_paddle_model_is_served_with_its_weights(tmp_path):
    """They are part of what the model is."""
    model = opened(paddle.network(tmp_path).parent)
    assert (model.inputs, model.outputs) == ((Port("x", "FP32", (-1, 4)),), (Port("y", "FP32", (-1, 3)),))
    assert [each.name for each in model.file.parts] == ["model.pdiparams", "model.pdmodel"]
    rows = np.random.default_rng(0).random((5, 4)).astype(np.float32)
    np.testing.assert_allclose(model.run([rows])[0], rows @ paddle.WEIGHTS, rtol=1e-5)
    (tmp_path / "model.pdiparams").write_bytes(b"")
    with pytest.raises(Failed, match="OpenVINO cannot open"):
        opened(tmp_path)


def test_it_may_be_reshaped(linear):
    """By the names of its inputs; then it takes exactly that."""
    model = opened(linear(), '{"reshape": {"x": [4, 3]}}')
    assert (model.inputs[0].shape, model.outputs[0].shape, model.batched) == ((4, 3), (4, 2), False)
    with pytest.raises(Failed, match="'reshape' names an input 'q'; the model has x"):
        opened(linear(), '{"reshape": {"q": [4, 3]}}')


def test_it_is_kept_compiled_beside_the_model(linear):
    """Where the config says; a second load finds it there."""
    path = linear("m/model.onnx")
    for _ in range(2):
        assert opened(path, '{"cache_dir": "compiled"}').run([np.ones((1, 3), np.float32)])[0].tolist() == [[3, 6]]
        kept = [each.suffix for each in (path.parent / "compiled").iterdir()]
        assert kept == [".blob"]


def test_parameters_are_openvinos_own(linear):
    """Those that mean nothing here are named; a value that OpenVINO does not know is refused."""
    config = '{"parameters": {"PERFORMANCE_HINT": "THROUGHPUT", "SKIP_OV_DYNAMIC_BATCHSIZE": "YES"}}'
    model = opened(linear(), config)
    assert model.warnings == ["SKIP_OV_DYNAMIC_BATCHSIZE in parameters without effect here."]
    assert model._compiled.get_property("PERFORMANCE_HINT") == "THROUGHPUT"
    assert model._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"
    with pytest.raises(Failed, match=r"OpenVINO cannot open .*PERFORMANCE_HINT"):
        opened(linear(), config.replace("THROUGHPUT", "WINGS"))


def test_bf16_goes_in_and_comes_out(tmp_path):
    """As raw memory."""
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "f"], ["z"]),
        helper.make_node("Cast", ["z"], ["y"], to=TensorProto.BFLOAT16),
    ]
    kind = TensorProto.BFLOAT16
    path = save(tmp_path / "m.onnx", nodes, [value("x", kind, ["n", 2])], [value("y", kind, ["n", 2])])
    model = opened(path)
    output = model.run([np.array([[1.5, -2]], DTYPES["BF16"])])[0]
    assert (output.dtype, output.tolist(), model.batched) == (DTYPES["BF16"], [[3, -4]], True)


def test_a_tensor_of_several_names_is_called_as_the_config_does(linear):
    """Without a config by the first of them, in every process."""
    core = openvino.Core()
    model = core.read_model(str(linear()))
    model.outputs[0].add_names({"b:0", "another"})
    folder = linear().parent / "named"
    folder.mkdir()
    openvino.save_model(model, str(folder / "model.xml"), compress_to_fp16=False)
    assert [port.name for port in opened(folder).outputs] == ["another"]
    assert [port.name for port in opened(folder, '{"output": [{"name": "b"}]}').outputs] == ["b"]


def test_an_unsupported_operator_is_refused(tmp_path):
    """By a sentence that names it."""
    ports = [value(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    path = save(tmp_path / "m.onnx", [helper.make_node("Wing", ["x"], ["y"])], ports[:1], ports[1:])
    with pytest.raises(Failed, match="Wing") as caught:
        opened(path)
    assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)


@pytest.mark.parametrize("suffix", [".pb", ".graphdef", ".tflite", ".pdmodel", ".onnx", ".xml"])
@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 8])
def test_what_is_no_model_is_refused(tmp_path, suffix, content):
    """Of whichever kind."""
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    with pytest.raises(Failed) as caught:
        opened(path)
    assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)


def test_sizes_that_nobody_stated_are_not_tried(tmp_path):
    """OpenVINO may write where it must not when a size does not fit: free inner dimensions wait for a sample."""
    ports = [value(name, TensorProto.FLOAT, ["n", "m"]) for name in "xy"]
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], ports[:1], ports[1:])
    model = opened(path)
    assert (model.baseline, model.warnings[0]) == (
        None, "Zeros cannot be run: OpenVINO is not tried with sizes that are guesses, as those of 'x' are: "
        "state model_warmup."
    )  # fmt: skip
    sample = {"name": "s", "inputs": {"x": {"data_type": "TYPE_FP32", "dims": [5], "zero_data": True}}}
    stated = opened(path, json.dumps({"model_warmup": [sample]}))
    assert stated.baseline.inputs[0].shape == (1, 5)
