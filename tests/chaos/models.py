"""Models whose answer proves which version of which model gave it, to which input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from tests.chaos.claims import Content

WIDTH = 4
HARMLESS = 100_000  # what an odd model's first number may be: above what is tried when it is opened
WIDE = 4096  # a row above the claim-check threshold


def save(path: Path, content: Content, width: int = WIDTH) -> Path:
    """Write a model that computes y = x * a + b and s, the sum of each row."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", width])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", width])
    s = helper.make_tensor_value_info("s", TensorProto.FLOAT, ["n", 1])
    nodes = [*base(content.kind), *proof("base", "x")]
    graph = helper.make_graph(nodes, "proof", [x], [y, s], factors(content))
    write(path, graph)
    return path


def save_steps(path: Path, content: Content) -> Path:
    """A model that adds up what the steps of a sequence bring: y = sum * a + b, and s, the sum of its columns."""
    x, before = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in ("x", "before"))
    y, after = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in ("y", "after"))
    s = helper.make_tensor_value_info("s", TensorProto.FLOAT, ["n", 1])
    nodes = [helper.make_node("Add", ["before", "x"], ["after"]), *proof("after", "after")]
    write(path, helper.make_graph(nodes, "steps", [x, before], [y, s, after], factors(content)))
    return path


def factors(content: Content) -> Sequence[onnx.TensorProto]:
    """What tells one version from all others."""
    return [
        helper.make_tensor("a", TensorProto.FLOAT, [], [content.a]),
        helper.make_tensor("b", TensorProto.FLOAT, [], [content.b]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [1]),
    ]


def proof(scaled: str, summed: str) -> Sequence[onnx.NodeProto]:
    """y, times a and plus b, and s, the sum of each row."""
    return [
        helper.make_node("Mul", [scaled, "a"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["y"]),
        helper.make_node("ReduceSum", [summed, "columns"], ["s"], keepdims=1),
    ]


def save_hungry(path: Path) -> Path:
    """A model that answers y = x, and for it takes 4 MiB for each that its first number is above HARMLESS."""
    nodes = [
        helper.make_node("Mul", ["times", "unit"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        helper.make_node("ReduceSum", ["large"], ["used"], keepdims=0),
    ]
    return save_odd(path, nodes, [helper.make_tensor("unit", TensorProto.INT64, [1], [1 << 20])])


def save_endless(path: Path) -> Path:
    """A model that answers y = x after a million turns for each that its first number is above HARMLESS."""
    state = helper.make_tensor_value_info("kept", TensorProto.FLOAT, [])
    turn = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["goes_on"]), helper.make_node("Add", ["before", "before"], ["kept"])],
        "turn",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, []),
        ],
        [helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []), state],
    )
    nodes = [
        helper.make_node("Mul", ["times", "million"], ["turns"]),
        helper.make_node("Loop", ["turns", "true", "zero"], ["used"], body=turn),
    ]
    constants = [
        helper.make_tensor("million", TensorProto.INT64, [1], [10**6]),
        helper.make_tensor("true", TensorProto.BOOL, [], [True]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    return save_odd(path, nodes, constants)


def save_odd(path: Path, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]) -> Path:
    """A model that answers as any other does, once `nodes` have made `used` from `times`, by the worst of its rows."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTH])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", WIDTH])
    s = helper.make_tensor_value_info("s", TensorProto.FLOAT, ["n", 1])
    around = [
        helper.make_node("Slice", ["x", "from", "to", "to"], ["firsts"]),
        helper.make_node("ReduceMax", ["firsts"], ["first"], axes=[0, 1], keepdims=0),
        helper.make_node("Reshape", ["first", "flat"], ["largest"]),
        helper.make_node("Sub", ["largest", "harmless"], ["above"]),
        helper.make_node("Relu", ["above"], ["excess"]),
        helper.make_node("Cast", ["excess"], ["times"], to=TensorProto.INT64),
        *nodes,
        helper.make_node("Mul", ["used", "nothing"], ["void"]),
        helper.make_node("Add", ["x", "void"], ["y"]),
        helper.make_node("ReduceSum", ["x", "to"], ["s"], keepdims=1),
    ]
    more = [
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("harmless", TensorProto.FLOAT, [], [HARMLESS]),
        helper.make_tensor("from", TensorProto.INT64, [1], [0]),
        helper.make_tensor("to", TensorProto.INT64, [1], [1]),
        helper.make_tensor("nothing", TensorProto.FLOAT, [], [0.0]),
    ]
    write(path, helper.make_graph(around, "odd", [x], [y, s], [*constants, *more]))
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
