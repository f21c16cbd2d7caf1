"""`sequence_batching` as Triton writes it, checked field by field."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.runtimes import pbtxt
from scurry.runtimes.sequence_config import Control, Initial, State, read
from scurry.wire.errors import Failed

STATE = {"input_name": "h", "output_name": "g", "data_type": "TYPE_FP32", "dims": [4]}
START = {"name": "START", "control": [{"kind": "CONTROL_SEQUENCE_START", "fp32_false_true": [0, 1]}]}


def test_a_config_pbtxt_says_the_same() -> None:
    """Lists given once, enumerations by name."""
    text = """
    sequence_batching {
      max_sequence_idle_microseconds: 5000000
      direct { }
      control_input [
        { name: "START" control [{ kind: CONTROL_SEQUENCE_START fp32_false_true: [0, 1] }] },
        { name: "CORRID" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } }
      ]
      state { input_name: "h" output_name: "g" data_type: TYPE_FP32 dims: [-1]
              initial_state { name: "zero" data_type: TYPE_FP32 dims: [4] zero_data: true } }
    }"""
    found = read(pbtxt.parse(text)["sequence_batching"])
    assert found.idle_ms == 5000
    assert found.states == (State("h", "g", "FP32", (-1,), Initial((4,))),)
    assert found.controls == (Control("START", "start", "FP32", (0, 1)), Control("CORRID", "id", "UINT64"))
    assert found.warnings == ("direct in sequence_batching without effect here.",)


def test_nothing_stated_is_a_minute_without_states() -> None:
    """All of it may be left out."""
    found = read({})
    assert (found.idle_ms, found.states, found.controls, found.warnings) == (60_000, (), (), ())


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ({"max_sequence_idle_microseconds": 0}, "max_sequence_idle_microseconds"),
        ({"max_sequence_idle_microseconds": 86_400_000_001}, "max_sequence_idle_microseconds"),
        ({"iterative_sequence": True}, "iterative_sequence"),
        ({"state": 1}, "state"),
        ({"state": [{**STATE, "shape": [1]}]}, "shape"),
        ({"state": [{**STATE, "input_name": ""}]}, "input_name"),
        ({"state": [{**STATE, "data_type": "TYPE_STRING"}]}, "data_type"),
        ({"state": [{**STATE, "dims": [-1]}]}, "free dimension"),
        ({"state": [{**STATE, "dims": "4"}]}, "dims"),
        ({"state": [{**STATE, "initial_state": [{"dims": [5], "zero_data": True}]}]}, "initial_state.dims"),
        ({"state": [{**STATE, "initial_state": [{"data_type": "TYPE_INT8"}]}]}, "initial_state.data_type"),
        ({"state": [{**STATE, "initial_state": [{"zero_data": True, "data_file": "x"}]}]}, "data_file"),
        ({"state": [STATE, STATE]}, "'h' twice"),
        ({"state": [STATE, {**STATE, "input_name": "i"}]}, "'g' twice"),
        ({"control_input": [{"name": "S", "control": []}]}, "exactly one control"),
        ({"control_input": [{"name": "S", "control": [{"kind": "X"}]}]}, "kind"),
        ({"control_input": [{"name": "S", "control": [{"kind": "CONTROL_SEQUENCE_END"}]}]}, "false_true"),
        ({"control_input": [{"name": "S", "control": [{"kind": "CONTROL_SEQUENCE_CORRID"}]}]}, "data_type"),
        ({"control_input": [START, START]}, "'START' twice"),
    ],
)
def test_what_is_wrong_is_named(stated: dict[str, Any], named: str) -> None:
    """And refused when the model is loaded."""
    with pytest.raises(Failed, match="sequence_batching") as failure:
        read(stated)
    assert failure.value.code == "load_failed"
    assert named in failure.value.message
