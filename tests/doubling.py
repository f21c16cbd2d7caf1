"""A model that doubles its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import TensorProto, helper, save

if TYPE_CHECKING:
    from pathlib import Path


def save_double(path: Path, width: int = 1) -> Path:
    """Write it: `y` [n, width] FP32 is twice `x`."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", [x], [y])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path
