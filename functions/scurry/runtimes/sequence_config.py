"""What a config says of sequences, in Triton's form, checked.

    sequence_batching {
      max_sequence_idle_microseconds: 5000000
      state [{input_name: "h_in" output_name: "h_out" data_type: TYPE_FP32 dims: [128]
              initial_state: {name: "h0" data_type: TYPE_FP32 dims: [128] zero_data: true}}]
      control_input [{name: "START" control [{kind: CONTROL_SEQUENCE_START fp32_false_true: [0, 1]}]}]
    }
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scurry.wire.errors import Failed
from scurry.wire.sequences import IDLE_MS, LONGEST_IDLE_MS
from scurry.wire.tensors import DTYPES

NAME: Final = "sequence_batching"
IDLE: Final = "max_sequence_idle_microseconds"
WITHOUT_EFFECT: Final = frozenset({"direct", "oldest"})
"""How Triton forms batches; here whatever waits is one."""
STATE: Final = frozenset({"input_name", "output_name", "data_type", "dims", "initial_state"})
BUFFERS: Final = frozenset({"use_same_buffer_for_input_output", "use_growable_memory"})
INITIAL: Final = frozenset({"name", "data_type", "dims", "zero_data", "data_file"})
KINDS: Final = {
    "CONTROL_SEQUENCE_START": "start",
    "CONTROL_SEQUENCE_END": "end",
    "CONTROL_SEQUENCE_READY": "ready",
    "CONTROL_SEQUENCE_CORRID": "id",
}
FALSE_TRUE: Final = {"fp32_false_true": "FP32", "int32_false_true": "INT32", "bool_false_true": "BOOL"}


@dataclass(frozen=True, slots=True)
class Initial:
    """What a state is before the first step: zeros of that size, or what stands in a file."""

    dims: tuple[int, ...]
    data_file: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """An output of the model that is an input of the sequence's next step."""

    input_name: str
    output_name: str
    datatype: str
    dims: tuple[int, ...]  # -1: any size
    initial: Initial


@dataclass(frozen=True, slots=True)
class Control:
    """An input that tells the model where in a sequence it is: `start`, `end`, `ready`, or the sequence's `id`."""

    name: str
    kind: str
    datatype: str
    false_true: tuple[Any, Any] = (0, 1)


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    """All of it; `warnings` name what has no effect."""

    idle_ms: int
    states: tuple[State, ...]
    controls: tuple[Control, ...]
    warnings: tuple[str, ...]


def read(stated: Mapping[str, Any]) -> SequenceConfig:
    """What is stated. Raises `load_failed` with the field that is not as it should be."""
    _know(NAME, stated, {IDLE, "state", "control_input", *WITHOUT_EFFECT})
    micros = stated.get(IDLE, IDLE_MS * 1000)
    if not _whole(micros) or not 0 < micros <= LONGEST_IDLE_MS * 1000:
        raise _wrong(IDLE, f"a whole number of microseconds up to {LONGEST_IDLE_MS * 1000}", micros)
    states = tuple(_state(f"state[{at}]", each) for at, each in enumerate(_objects("state", stated.get("state", []))))
    inputs = _objects("control_input", stated.get("control_input", []))
    controls = tuple(_control(f"control_input[{at}]", each) for at, each in enumerate(inputs))
    _refuse_twice([each.input_name for each in states] + [each.name for each in controls], "input")
    _refuse_twice([each.output_name for each in states], "output")
    idle = sorted(WITHOUT_EFFECT & set(stated))
    warnings = (f"{', '.join(idle)} in {NAME} without effect here.",) if idle else ()
    return SequenceConfig(max(1, micros // 1000), states, controls, warnings)


def state_files(stated: object) -> list[str]:
    """The files that first states lie in. Raises `load_failed` as `read` does."""
    states = read(stated).states if isinstance(stated, dict) else ()
    return [state.initial.data_file for state in states if state.initial.data_file]


def _state(where: str, given: Mapping[str, Any]) -> State:
    _know(where, given, STATE | BUFFERS)
    names = [_name(f"{where}.{field}", given.get(field)) for field in ("input_name", "output_name")]
    datatype, dims = _datatype(where, given), _dims(f"{where}.dims", given.get("dims"))
    listed = _objects(f"{where}.initial_state", given.get("initial_state", []))
    if len(listed) > 1:
        raise Failed("load_failed", f"{NAME}.{where} has {len(listed)} entries of initial_state; one is enough.")
    initial = _initial(f"{where}.initial_state", listed[0], datatype, dims) if listed else Initial(dims)
    if any(size < 0 for size in initial.dims):
        raise Failed("load_failed", f"{NAME}.{where} has a free dimension: initial_state must say the first size.")
    return State(names[0], names[1], datatype, dims, initial)


def _initial(where: str, given: Mapping[str, Any], datatype: str, dims: tuple[int, ...]) -> Initial:
    _know(where, given, INITIAL)
    if "data_type" in given and _datatype(where, given) != datatype:
        raise _wrong(f"{where}.data_type", f"that of the state, {datatype}", given["data_type"])
    sizes = _dims(f"{where}.dims", given["dims"]) if "dims" in given else dims
    if len(sizes) != len(dims) or any(want not in (-1, size) for size, want in zip(sizes, dims, strict=True)):
        raise _wrong(f"{where}.dims", f"sizes that fit the state's {list(dims)}", list(sizes))
    data_file = given.get("data_file", "")
    if not isinstance(data_file, str) or bool(data_file) == bool(given.get("zero_data", not data_file)):
        raise Failed("load_failed", f"{NAME}.{where} must have either zero_data or data_file.")
    return Initial(sizes, data_file)


def _control(where: str, given: Mapping[str, Any]) -> Control:
    _know(where, given, {"name", "control"})
    name = _name(f"{where}.name", given.get("name"))
    listed = _objects(f"{where}.control", given.get("control", []))
    if len(listed) != 1:
        raise Failed("load_failed", f"{NAME}.{where} must have exactly one control, not {len(listed)}.")
    control = listed[0]
    _know(f"{where}.control", control, {"kind", "data_type", *FALSE_TRUE})
    kind = KINDS.get(str(control.get("kind", "CONTROL_SEQUENCE_START")))
    if kind is None:
        raise _wrong(f"{where}.control.kind", f"one of {', '.join(KINDS)}", control.get("kind"))
    if kind == "id":
        return Control(name, kind, _datatype(f"{where}.control", control, texts=True))
    pairs = [(FALSE_TRUE[field], control[field]) for field in FALSE_TRUE if control.get(field)]
    if len(pairs) != 1 or not isinstance(pairs[0][1], list) or len(pairs[0][1]) != 2:
        raise Failed("load_failed", f"{NAME}.{where}.control must have one of {', '.join(FALSE_TRUE)}, two values.")
    datatype, (false, true) = pairs[0]
    if not all(isinstance(value, int | float) for value in (false, true)):
        raise Failed("load_failed", f"{NAME}.{where}.control must have numbers for false and true.")
    return Control(name, kind, datatype, (false, true))


def _datatype(where: str, given: Mapping[str, Any], *, texts: bool = False) -> str:
    text = str(given.get("data_type", "")).removeprefix("TYPE_")
    if text in ("STRING", "BYTES") and texts:
        return "BYTES"
    if text not in DTYPES:
        raise _wrong(f"{where}.data_type", f"one of {', '.join(f'TYPE_{name}' for name in DTYPES)}", text)
    return text


def _dims(where: str, given: object) -> tuple[int, ...]:
    if not isinstance(given, list) or not all(_whole(size) and -1 <= size < 2**31 for size in given):
        raise _wrong(where, "a list of whole numbers", given)
    return tuple(given)


def _objects(where: str, given: object) -> list[Mapping[str, Any]]:
    listed = [given] if isinstance(given, dict) else given
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _wrong(where, "a list of objects", given)
    return listed


def _name(where: str, given: object) -> str:
    if not isinstance(given, str) or not given:
        raise _wrong(where, "the name of a tensor", given)
    return given


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _know(where: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        place = where if where == NAME else f"{NAME}.{where}"
        raise Failed("load_failed", f"{place} has no {unknown[0]!r} here; it may have {', '.join(sorted(known))}.")


def _refuse_twice(names: list[str], what: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Failed("load_failed", f"{NAME} names {what} {twice!r} twice.")


def _wrong(where: str, want: str, given: object) -> Failed:
    place = where if where.startswith(NAME) else f"{NAME}.{where}"
    return Failed("load_failed", f"{place} must be {want}, not {given!r}.")
