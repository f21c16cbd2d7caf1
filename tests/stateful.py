"""Small models that keep states between the steps of a sequence, and what a run of one sequence gives."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDE: Final = 4
"""Inputs and states of the GRU."""
SUM: Final[dict[str, Any]] = {
    "max_batch_size": 32,
    "sequence_batching": {
        "max_sequence_idle_microseconds": 60_000_000,
        "state": [{"input_name": "s", "output_name": "t", "data_type": "TYPE_FP32", "dims": [1]}],
    },
}
GRU: Final[dict[str, Any]] = {
    "max_batch_size": 32,
    "sequence_batching": {
        "state": [{"input_name": "h", "output_name": "g", "data_type": "TYPE_FP32", "dims": [WIDE]}],
    },
}


def value(name: str, *shape: int | str, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Name and shape of a graph's input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: Iterable[Any] = ()) -> Path:
    """Write a graph as a model."""
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, list(weights))
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def running_sum(path: Path) -> Path:
    """y is the sum of every x that the sequence brought."""
    nodes = [helper.make_node("Add", ["x", "s"], ["t"]), helper.make_node("Identity", ["t"], ["y"])]
    return save(path, nodes, [value("x", "n", 1), value("s", "n", 1)], [value("y", "n", 1), value("t", "n", 1)])


def gru(path: Path, wide: int = WIDE) -> Path:
    """One gated recurrent unit; y is its state."""
    numbers = np.random.default_rng(7)
    weights = [
        numpy_helper.from_array(numbers.normal(0, 0.5, (1, 3 * wide, wide)).astype(np.float32), name) for name in "wr"
    ]
    first = numpy_helper.from_array(np.array([0], np.int64), "first")
    nodes = [
        helper.make_node("Unsqueeze", ["x", "first"], ["xs"]),
        helper.make_node("Unsqueeze", ["h", "first"], ["hs"]),
        helper.make_node("GRU", ["xs", "w", "r", "", "", "hs"], ["", "gs"], hidden_size=wide),
        helper.make_node("Squeeze", ["gs", "first"], ["g"]),
        helper.make_node("Identity", ["g"], ["y"]),
    ]
    inputs, outputs = [value("x", "n", wide), value("h", "n", wide)], [value("y", "n", wide), value("g", "n", wide)]
    return save(path, nodes, inputs, outputs, [*weights, first])


def alone(path: Path, steps: np.ndarray) -> list[np.ndarray]:
    """What the GRU answers to one sequence, step by step, in a session of its own."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    state, answers = np.zeros((1, steps.shape[-1]), np.float32), []
    for step in steps:
        y, state = session.run(["y", "g"], {"x": step[np.newaxis], "h": state})
        answers.append(y[0])
    return answers
