"""Tiny models, built on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

Build = Callable[..., Path]


def value(name: str, kind: int, shape: list[int | str | None]) -> onnx.ValueInfoProto:
    """Name, type and shape of a graph's input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def save(path: Path, nodes: list, inputs: list, outputs: list, weights: tuple = ()) -> Path:
    """Write a graph as a model."""
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(weights))
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture
def linear(tmp_path: Path) -> Build:
    """y = x · w with w[i][j] = i + j; the first dimension as given."""

    def build(name: str = "model.onnx", rows: int | str | None = "n", wide: int = 3) -> Path:
        weights = np.add.outer(np.arange(wide), np.arange(2)).astype(np.float32)
        return save(
            tmp_path / name,
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            [value("x", TensorProto.FLOAT, [rows, wide])],
            [value("y", TensorProto.FLOAT, [rows, 2])],
            (numpy_helper.from_array(weights, "w"),),
        )

    return build


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """BYTES in, the same BYTES out."""
    return save(
        tmp_path / "texts.onnx",
        [helper.make_node("Identity", ["t"], ["u"])],
        [value("t", TensorProto.STRING, ["n", 1])],
        [value("u", TensorProto.STRING, ["n", 1])],
    )


@pytest.fixture
def mean(tmp_path: Path) -> Path:
    """Declares rows out, but gives a single one: its rows must not be stacked."""
    return save(
        tmp_path / "mean.onnx",
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)],
        [value("x", TensorProto.FLOAT, ["n", 3])],
        [value("y", TensorProto.FLOAT, ["m", 3])],
    )


@pytest.fixture
def ir(linear: Build) -> Path:
    """The linear model as OpenVINO IR."""
    openvino = pytest.importorskip("openvino")
    path = linear("ir/source.onnx")
    openvino.save_model(openvino.Core().read_model(str(path)), str(path.with_name("model.xml")), compress_to_fp16=False)
    path.unlink()
    return path.with_name("model.xml")
