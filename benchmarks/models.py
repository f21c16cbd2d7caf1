"""The models that are measured, made of random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = helper.make_opsetid("", 17)
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))
"""Channels and stride of ResNet-18's four stages of two blocks each."""


class Graph:
    """A network under construction: each step takes the last output, or the ones named."""

    def __init__(self, seed: int) -> None:
        self._numbers = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 - whatever the operator knows
        """One more node; the name of its output."""
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """Random weights that keep the size of what passes through them."""
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        values = self._numbers.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        return self.constant(values)

    def constant(self, values: np.ndarray) -> str:
        """Given weights."""
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def save(self, file: Path, output: str, shape_in: Sequence[int | str], shape_out: Sequence[int | str]) -> Path:
        """Write the network with input x and output y."""
        self._nodes.append(helper.make_node("Identity", [output], ["y"]))
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape_in)
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape_out)
        graph = helper.make_graph(self._nodes, file.stem, [x], [y], self._weights)
        onnx.save(helper.make_model(graph, opset_imports=[OPSET], ir_version=8), file)
        return file


def dense(file: Path, *sizes: int, seed: int = 0) -> Path:
    """Fully connected layers with ReLU between them."""
    graph, last = Graph(seed), "x"
    for at, (rows, columns) in enumerate(pairwise(sizes)):
        last = graph.add("Gemm", last, graph.weight(rows, columns), graph.constant(np.zeros(columns, np.float32)))
        if at < len(sizes) - 2:
            last = graph.add("Relu", last)
    return graph.save(file, last, ["n", sizes[0]], ["n", sizes[-1]])


def mean(file: Path) -> Path:
    """Next to no work on a payload of any size: the mean of each row."""
    graph = Graph(0)
    return graph.save(file, graph.add("ReduceMean", "x", axes=[1], keepdims=1), ["n", "m"], ["n", 1])


def resnet18(file: Path) -> Path:
    """ResNet-18 with random weights, batch normalisation folded into the convolutions."""
    graph = Graph(0)
    last = _convolution(graph, "x", 3, 64, size=7, stride=2)
    last = graph.add("MaxPool", last, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for wanted, stride in STAGES:
        for step in (stride, 1):
            last = _block(graph, last, channels, wanted, step)
            channels = wanted
    last = graph.add("Flatten", graph.add("GlobalAveragePool", last))
    last = graph.add("Gemm", last, graph.weight(512, 1000), graph.constant(np.zeros(1000, np.float32)))
    return graph.save(file, last, ["n", 3, 224, 224], ["n", 1000])


def _convolution(graph: Graph, last: str, given: int, wanted: int, *, size: int, stride: int, relu: bool = True) -> str:
    pad = [size // 2] * 4
    weights, bias = graph.weight(wanted, given, size, size), graph.constant(np.zeros(wanted, np.float32))
    last = graph.add("Conv", last, weights, bias, kernel_shape=[size, size], strides=[stride, stride], pads=pad)
    return graph.add("Relu", last) if relu else last


def _block(graph: Graph, last: str, given: int, wanted: int, stride: int) -> str:
    inner = _convolution(graph, last, given, wanted, size=3, stride=stride)
    inner = _convolution(graph, inner, wanted, wanted, size=3, stride=1, relu=False)
    if stride != 1 or given != wanted:
        last = _convolution(graph, last, given, wanted, size=1, stride=stride, relu=False)
    return graph.add("Relu", graph.add("Add", inner, last))


@dataclass(frozen=True, slots=True)
class Subject:
    """A model of the benchmark: its file, what it takes, and how it is stacked."""

    file: Path
    shape: tuple[int, ...]
    max_batch_size: int
    batches: tuple[int, ...]  # batch sizes tried in process


def make(folder: Path) -> dict[str, Subject]:
    """The named models; a minute's worth of nothing but random numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "tiny": Subject(dense(folder / "tiny.onnx", 16, 32, 4), (16,), 64, (16, 64, 256)),
        "wide": Subject(dense(folder / "wide.onnx", 1024, 1024, 1024, 256), (1024,), 64, (16, 64, 256)),
        "resnet": Subject(resnet18(folder / "resnet.onnx"), (3, 224, 224), 8, (1, 4, 8)),
        "mean": Subject(mean(folder / "mean.onnx"), (0,), 64, (1, 16, 64)),
    }


def make_many(folder: Path, count: int) -> list[Path]:
    """As many tiny models, each with weights of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    return [dense(folder / f"zipf-{number:04d}.onnx", 16, 32, 4, seed=number) for number in range(count)]
