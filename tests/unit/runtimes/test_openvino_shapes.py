"""Sizes that do not fit a model of OpenVINO's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.unit.runtimes.conftest import save, value
from tests.unit.runtimes.opened import open_model

from scurry.runtimes import openvino_shapes
from scurry.runtimes.openvino_shapes import ShapeCheck
from scurry.runtimes.port import Port
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec

openvino = pytest.importorskip("openvino")


@pytest.fixture
def adding(tmp_path):
    """Opens a model that adds two inputs of such dimensions."""

    def make(*dims, **config):
        path = tmp_path / "model.onnx"
        ports = [value(name, TensorProto.FLOAT, list(dims)) for name in ("a", "b", "y")]
        save(path, [helper.make_node("Add", ["a", "b"], ["y"])], ports[:2], ports[2:])
        return open_model("m", "1", ModelSpec(uri=str(path), runtime="openvino", config=json.dumps(config)), threads=1)

    return make


def ones(*sizes):
    """An array of ones."""
    return np.ones(sizes, np.float32)


@pytest.mark.parametrize("sizes", [((2, 5), (2, 7)), ((2, 7), (2, 5)), ((2, 4), (3, 4)), ((2, 300), (2, 7))])
def test_sizes_that_do_not_fit_each_other_are_refused(adding, sizes):
    """OpenVINO would answer without elements, and end the process later."""
    model = adding(None, None)
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="do not fit the model") as caught:
            model.run([ones(*each) for each in sizes])
        assert caught.value.code == "input_shape"
    assert model.run([ones(2, 7), ones(2, 7)])[0].tolist() == (2 * ones(2, 7)).tolist()
    assert model.run([ones(2, 7), ones(1, 7)])[0].shape == (2, 7)
    assert model.run([ones(0, 7), ones(0, 7)])[0].shape == (0, 7)


def test_rows_are_looked_at_where_they_alone_are_free(adding, tmp_path):
    """They may not fit each other, or the weights."""
    model = adding(None, 4, max_batch_size=0)
    with pytest.raises(InvalidRequest, match="do not fit"):
        model.run([ones(2, 4), ones(3, 4)])
    assert model.run([ones(3, 4), ones(3, 4)])[0].shape == (3, 4)
    x, y = (value(name, TensorProto.FLOAT, [None, 4]) for name in "xy")
    nodes, weights = [helper.make_node("Add", ["x", "w"], ["y"])], numpy_helper.from_array(ones(5, 4), "w")
    path = save(tmp_path / "five.onnx", nodes, [x], [y], (weights,))
    model = open_model("m", "1", ModelSpec(uri=str(path), runtime="openvino"), threads=1)
    assert not model.batched
    with pytest.raises(InvalidRequest, match="do not fit"):
        model.run([ones(2, 4)])
    assert model.run([ones(5, 4)])[0].shape == (5, 4)


def test_the_graph_keeps_no_weights(linear, monkeypatch):
    """They are not held twice; sizes are still known by them."""
    monkeypatch.setattr(openvino_shapes, "SMALL_BYTES", 0)
    read = openvino.Core().read_model(str(linear()))
    read.reshape([-1, -1])
    check = ShapeCheck(openvino, read, [Port("x", "FP32", (-1, -1))])
    assert "Constant" not in {each.get_type_name() for each in check._graph.get_ops()}
    check.check([ones(2, 3)])
    with pytest.raises(InvalidRequest, match="do not fit"):
        check.check([ones(2, 4)])


def test_only_so_many_sizes_are_remembered(adding, monkeypatch):
    """Callers choose them."""
    monkeypatch.setattr(openvino_shapes, "MOST", 3)
    model = adding(None, None)
    for size in range(1, 9):
        model.run([ones(2, size), ones(2, size)])
    assert 0 < len(model._shapes._known) <= 3


def test_a_model_without_free_dimensions_is_not_looked_at(linear):
    """It costs nothing there."""
    read = openvino.Core().read_model(str(linear(rows=4)))
    assert ShapeCheck(openvino, read, [Port("x", "FP32", (4, 3))])._graph is None
