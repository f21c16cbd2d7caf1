"""Models whose answer proves which version of which model gave it, to which input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from tests.chaos.claims import Content

WIDTH = 4
WIDE = 4096  # a row above the claim-check threshold


def save(path: Path, content: Content, width: int = WIDTH) -> Path:
    """Write a model that computes y = x * a + b and s, the sum of each row."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", width])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", width])
    s = helper.make_tensor_value_info("s", TensorProto.FLOAT, ["n", 1])
    constants = [
        helper.make_tensor("a", TensorProto.FLOAT, [], [content.a]),
        helper.make_tensor("b", TensorProto.FLOAT, [], [content.b]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [1]),
    ]
    nodes = [
        *base(content.kind),
        helper.make_node("Mul", ["base", "a"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["y"]),
        helper.make_node("ReduceSum", ["x", "columns"], ["s"], keepdims=1),
    ]
    graph = helper.make_graph(nodes, "proof", [x], [y, s], constants)
    write(path, graph)
    return path


def base(kind: str) -> Sequence[onnx.NodeProto]:
    """What is scaled: the input itself, or each column less its largest value, which looks at every row."""
    if kind == "line":
        return [helper.make_node("Identity", ["x"], ["base"])]
    return [
        helper.make_node("ReduceMax", ["x"], ["largest"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["x", "largest"], ["base"]),
    ]


def write(path: Path, graph: onnx.GraphProto) -> None:
    """Write a graph as a model file, as a whole: whoever opens the path finds the old one or the new."""
    new = path.with_suffix(".new")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), new)
    new.replace(path)
