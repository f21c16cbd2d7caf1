"""States and controls of models: what goes in, what comes out, what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.stateful import GRU, SUM, gru, running_sum, save, value

from scurry.runtimes.catalog import Opener
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec
from scurry.wire.tensors import DTYPES


def opened(path: Path, config: dict[str, Any]) -> Runtime:
    """The model as a worker opens it."""
    opener = Opener()
    spec = ModelSpec(uri=str(path), runtime="onnx")
    return opener.open(opener.find("m", "1", spec), json.dumps(config))


def told(path: Path) -> Path:
    """y has every control of its row, one beside the other, as the model was told them."""
    kinds = {"start": TensorProto.FLOAT, "end": TensorProto.INT32, "ready": TensorProto.BOOL, "id": TensorProto.UINT64}
    nodes = [helper.make_node("Cast", [name], [f"{name}_f"], to=TensorProto.FLOAT) for name in kinds]
    nodes.append(helper.make_node("Concat", [*[f"{name}_f" for name in kinds], "x"], ["y"], axis=1))
    inputs = [value("x", "n", 1), *[value(name, "n", 1, kind=kind) for name, kind in kinds.items()]]
    return save(path, nodes, inputs, [value("y", "n", 5)])


CONTROLS = [
    {"name": "start", "control": [{"kind": "CONTROL_SEQUENCE_START", "fp32_false_true": [-1, 1]}]},
    {"name": "end", "control": [{"kind": "CONTROL_SEQUENCE_END", "int32_false_true": [0, 2]}]},
    {"name": "ready", "control": [{"kind": "CONTROL_SEQUENCE_READY", "bool_false_true": [False, True]}]},
    {"name": "id", "control": [{"kind": "CONTROL_SEQUENCE_CORRID", "data_type": "TYPE_UINT64"}]},
]


def test_the_signature_is_without_states_and_stacking_is_shown_with_them(tmp_path: Path) -> None:
    """A caller sees x and y; rows with their states were shown to be independent."""
    model = opened(gru(tmp_path / "gru.onnx"), GRU)
    signature = model.signature()
    assert [port.name for port in (*signature.inputs, *signature.outputs)] == ["x", "y"]
    assert model.batched
    assert model.max_batch_size == 32


def test_rows_take_their_states_along(tmp_path: Path) -> None:
    """Each row of a batch goes on from its own."""
    model = opened(running_sum(tmp_path / "sum.onnx"), SUM)
    kept = model.sequences
    assert kept is not None
    x = np.array([[1], [2], [3]], np.float32)
    before = [[((1, 1), np.float32(10 * row).tobytes())] for row in range(3)]
    (y,), states = kept.divide(model.run(kept.arrays([x], before, [("a", False, False)] * 3)), 3)
    assert y.tolist() == [[1], [12], [23]]
    assert [shape for ((shape, _),) in states] == [(1, 1)] * 3
    assert [np.frombuffer(data, np.float32).tolist() for ((_, data),) in states] == [[1], [12], [23]]
    assert kept.first == [((1, 1), bytes(4))]


def test_controls_say_where_in_its_sequence_each_row_is(tmp_path: Path) -> None:
    """With the values for false and true that the config gives them."""
    config = {"max_batch_size": 8, "sequence_batching": {"control_input": CONTROLS}}
    model = opened(told(tmp_path / "told.onnx"), config)
    kept = model.sequences
    assert kept is not None
    assert [port.name for port in model.signature().inputs] == ["x"]
    x, steps = np.full((2, 1), 9, np.float32), [("7", True, False), ("8", False, True)]
    assert model.run(kept.arrays([x], [[], []], steps))[0].tolist() == [[1, 0, 1, 7, 9], [-1, 2, 1, 8, 9]]
    kept.check_id("12")
    for name in ("seven", "-1", str(2**64)):
        with pytest.raises(InvalidRequest, match="UINT64"):
            kept.check_id(name)


def test_a_first_state_may_lie_in_a_file(tmp_path: Path) -> None:
    """In the directory `initial_state`, nowhere else, and of the right size."""
    path = running_sum(tmp_path / "1" / "sum.onnx")
    (tmp_path / "initial_state").mkdir()
    (tmp_path / "initial_state" / "five").write_bytes(np.float32(5).tobytes())
    (tmp_path / "initial_state" / "long").write_bytes(bytes(8))
    (tmp_path / "six").write_bytes(np.float32(6).tobytes())
    state = SUM["sequence_batching"]["state"][0]

    def with_file(name: str) -> Runtime:
        initial = [{"data_type": "TYPE_FP32", "dims": [1], "data_file": name}]
        return opened(path, {"sequence_batching": {"state": [{**state, "initial_state": initial}]}})

    kept = with_file("five").sequences
    assert kept is not None
    assert kept.first == [((1, 1), np.float32(5).tobytes())]
    for name in ("long", "none", "../six", "/etc/hostname"):
        with pytest.raises(Failed, match="initial_state"):
            with_file(name)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"input_name": "z"}, "input 'z'"),
        ({"output_name": "z"}, "output 'z'"),
        ({"data_type": "TYPE_INT32"}, "is stated as INT32"),
        ({"dims": [2]}, r"is stated as FP32 \[2\]"),
        ({"output_name": "y"}, None),
    ],
)
def test_states_are_held_against_the_model(tmp_path: Path, change: dict[str, Any], named: str | None) -> None:
    """A config that belongs to another model is refused; which output is the state is the config's to say."""
    state = {**SUM["sequence_batching"]["state"][0], **change}
    path = running_sum(tmp_path / "sum.onnx")
    if named is None:
        assert opened(path, {"sequence_batching": {"state": [state]}}).signature().outputs[0].name == "t"
        return
    with pytest.raises(Failed, match=named):
        opened(path, {"sequence_batching": {"state": [state]}})


def test_states_that_are_too_large_are_refused(tmp_path: Path) -> None:
    """They would travel with each step."""
    wide = 70_000
    nodes = [helper.make_node("Identity", ["s"], ["t"]), helper.make_node("Identity", ["x"], ["y"])]
    ends = [value("x", "n", 1), value("s", "n", wide)], [value("y", "n", 1), value("t", "n", wide)]
    state = {"input_name": "s", "output_name": "t", "data_type": "TYPE_FP32", "dims": [wide]}
    with pytest.raises(Failed, match="a sequence may keep 262144"):
        opened(save(tmp_path / "wide.onnx", nodes, *ends), {"sequence_batching": {"state": [state]}})
    assert DTYPES["FP32"].itemsize * wide > 262_144


def test_recorded_samples_need_no_states(tmp_path: Path) -> None:
    """A sample is the first step of a sequence."""
    sample = {"inputs": {"x": {"data_type": "TYPE_FP32", "dims": [1], "random_data": True}}}
    model = opened(running_sum(tmp_path / "sum.onnx"), {**SUM, "model_warmup": [sample]})
    assert model.baseline is not None
    assert model.warnings == []
