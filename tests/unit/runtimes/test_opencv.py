"""Caffe networks in OpenCV."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.unit.runtimes.caffe import LAYER, TOP, WEIGHTS, expected, network
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

cv2 = pytest.importorskip("cv2")
ROWS = np.random.default_rng(2).random((50, 4, 1, 1), np.float32)


def opened(path, config: str = ""):
    """The model in that file or directory."""
    return open_model("m", "1", ModelSpec(uri=str(path), config=config))


@pytest.mark.parametrize("head", [TOP, LAYER])
def test_a_network_answers_as_worked_out_and_as_opencv(tmp_path, head):
    """Whichever way it names its input; its rows are stacked."""
    path = network(tmp_path, head)
    model = opened(path)
    assert (model.name, model.inputs, model.outputs) == (
        "opencv", (Port("data", "FP32", (-1, 4, 1, 1)),), (Port("prob", "FP32", (-1, 3)),)
    )  # fmt: skip
    assert (model.batched, model.warnings) == (True, [])
    np.testing.assert_allclose(model.run([ROWS])[0], expected(ROWS), rtol=1e-5)
    net = cv2.dnn.readNetFromCaffe(str(path), str(path.with_suffix(".caffemodel")))
    net.setInput(ROWS)
    np.testing.assert_array_equal(model.run([ROWS])[0], net.forward())


def test_runs_at_once_take_turns(tmp_path):
    """No answer is another's."""
    model = opened(network(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda row: model.run([row[None]])[0], ROWS))
    np.testing.assert_allclose(np.concatenate(answers), expected(ROWS), rtol=1e-5)


def test_weights_of_another_name_are_found_and_counted(tmp_path):
    """If they are the only ones: they are part of what the model is."""
    model = opened(network(tmp_path, weights="iter_140000"))
    assert [each.name for each in model.file.parts] == ["deploy.prototxt", "iter_140000.caffemodel"]
    assert model.file.bytes > WEIGHTS.nbytes
    network(tmp_path, weights="iter_150000")
    with pytest.raises(Failed, match=r"There is no \.caffemodel beside .*, or there are several"):
        opened(tmp_path / "deploy.prototxt")


def test_outputs_may_be_any_layers(tmp_path):
    """By their names, in the config's order."""
    stated = json.dumps({"outputs": [{"name": name, "datatype": "FP32", "shape": [-1, 3]} for name in ("prob", "ip")]})
    model = opened(network(tmp_path), stated)
    assert [port.name for port in model.outputs] == ["prob", "ip"]
    assert model.run([ROWS])[1].shape == (50, 3)
    with pytest.raises(Failed, match="no layer 'wing', which the config states"):
        opened(tmp_path, stated.replace("ip", "wing"))


def broken_weights(path):
    """No protobuf."""
    path.with_suffix(".caffemodel").write_bytes(b"zzz")


def truncated_weights(path):
    """Half of it."""
    weights = path.with_suffix(".caffemodel")
    weights.write_bytes(weights.read_bytes()[:40])


def unknown_layer(path):
    """An operator that OpenCV has not."""
    path.write_text(path.read_text().replace('"Softmax"', '"Wing"'))


def no_network(path):
    """Text of another kind."""
    path.write_text("hello }{")


@pytest.mark.parametrize("harm", [broken_weights, truncated_weights, unknown_layer, no_network])
def test_what_is_no_network_is_refused(tmp_path, harm):
    """By one sentence."""
    path = network(tmp_path)
    harm(path)
    with pytest.raises(Failed) as caught:
        opened(path)
    assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)


def test_an_absent_device_and_an_unnamed_input_are_said(tmp_path):
    """With what helps."""
    with pytest.raises(Failed, match="OpenCV has no device cuda here; it has cpu"):
        opened(network(tmp_path), '{"device": "cuda"}')
    with pytest.raises(Failed, match="names no input with its shape: state it in the config"):
        opened(network(tmp_path, head=""))
