"""The seven models that the examples of Triton's clients ask, small and of ONNX, as a repository."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

INT, TEXT, FLOAT = TensorProto.INT32, TensorProto.STRING, TensorProto.FLOAT
MODELS = (
    "simple", "simple_int8", "simple_string", "simple_identity", "simple_sequence", "simple_no_input", "simple_scalar",
)  # fmt: skip


def save_all(repository: Path) -> Path:
    """Write them; returns the repository."""
    for kind, name in ((INT, "simple"), (TensorProto.INT8, "simple_int8")):
        _save(repository, name, _adding("INPUT0", "INPUT1"), _pair(kind, "INPUT", 16), _pair(kind, "OUTPUT", 16),
              {"max_batch_size": 8})  # fmt: skip
    casts = [helper.make_node("Cast", [f"INPUT{at}"], [f"n{at}"], to=INT) for at in (0, 1)]
    texts = [helper.make_node("Cast", [f"s{at}"], [f"OUTPUT{at}"], to=TEXT) for at in (0, 1)]
    nodes = [*casts, *_adding("n0", "n1", "s0", "s1"), *texts]
    _save(repository, "simple_string", nodes, _pair(TEXT, "INPUT", 16), _pair(TEXT, "OUTPUT", 16))
    same = [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])]
    _save(repository, "simple_identity", same, *([_value(name, TEXT, ["n", 16])] for name in ("INPUT0", "OUTPUT0")))
    _sequence(repository)
    constant = helper.make_tensor("c", FLOAT, [3], [1.0, 2.0, 3.0])
    given = [helper.make_node("Constant", [], ["OUTPUT0"], value=constant)]
    _save(repository, "simple_no_input", given, [], [_value("OUTPUT0", FLOAT, [3])])
    twice = [helper.make_node("Add", ["INPUT0", "INPUT0"], ["OUTPUT0"])]
    _save(repository, "simple_scalar", twice, [_value("INPUT0", FLOAT, [])], [_value("OUTPUT0", FLOAT, [])])
    return repository


def _sequence(repository: Path) -> None:
    """What comes in goes out, of the first step of a sequence one more, as Triton's example does it."""
    nodes = [
        helper.make_node("Constant", [], ["one"], value=helper.make_tensor("v", INT, [1, 1], [1])),
        helper.make_node("Sub", ["one", "seen"], ["first"]),
        helper.make_node("Add", ["INPUT", "first"], ["OUTPUT"]),
        helper.make_node("Max", ["seen", "one"], ["seen_next"]),
    ]
    inputs = [_value(name, INT, ["n", 1]) for name in ("INPUT", "seen")]
    outputs = [_value(name, INT, ["n", 1]) for name in ("OUTPUT", "seen_next")]
    start: dict[str, Any] = {"data_type": "TYPE_INT32", "dims": [1], "zero_data": True, "name": "none"}
    state = {"input_name": "seen", "output_name": "seen_next", "data_type": "TYPE_INT32", "dims": [1]}
    config = {"sequence_batching": {"state": [state | {"initial_state": [start]}]}, "max_batch_size": 1}
    _save(repository, "simple_sequence", nodes, inputs, outputs, config)


def _adding(one: str, other: str, total: str = "OUTPUT0", difference: str = "OUTPUT1") -> list[NodeProto]:
    return [helper.make_node("Add", [one, other], [total]), helper.make_node("Sub", [one, other], [difference])]


def _pair(kind: int, name: str, size: int) -> list[ValueInfoProto]:
    return [_value(f"{name}{at}", kind, ["n", size]) for at in (0, 1)]


def _value(name: str, kind: int, shape: list[Any]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _save(  # noqa: PLR0917 - a model's parts
    repository: Path,
    name: str,
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    config: dict[str, Any] | None = None,
) -> None:
    graph = helper.make_graph(nodes, name, inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder = repository / name / "1"
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
