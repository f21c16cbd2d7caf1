"""OpenVINO IR and ONNX in OpenVINO."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

pytest.importorskip("openvino")
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


def test_a_file_that_is_no_model(tmp_path):
    """A broken file is one sentence."""
    path = tmp_path / "model.xml"
    path.write_text("<net/>")
    with pytest.raises(Failed, match=r"OpenVINO cannot open .*model\.xml") as caught:
        opened(path)
    assert "\n" not in caught.value.message
