"""A model's states and controls: how a batch takes and gives them.

Callers neither send nor see them. What a sequence keeps are plain bytes, each state as the model takes it for one
request; the steps of several sequences are rows of one batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.sequences import STATE_BYTES
from scurry.wire.tensors import DTYPES, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.port import Port
    from scurry.runtimes.runtime import Runtime
    from scurry.runtimes.sequence_config import Control, SequenceConfig, State
    from scurry.wire.tensors import Array

DIRECTORY: Final = "initial_state"
"""Where the files of first states lie: beside the model's file, or above it."""

StateValue = tuple[tuple[int, ...], bytes]
"""Shape and bytes of one state of one sequence."""
Step = tuple[str, bool, bool]
"""A sequence's id, and whether this is its first and its last step."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One state: where it goes in and comes out, and what it is at first."""

    input_at: int
    output_at: int
    port: Port
    first: StateValue
    row: bool  # its first dimension is the batch

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `model_failed` for a shape that the model itself would not take back."""
        wanted = (1, *self.port.shape[1:]) if self.row else self.port.shape
        if len(shape) != len(wanted) or any(-1 != want != size for want, size in zip(wanted, shape, strict=True)):
            sentence = f"The model gave state {self.port.name!r} as {list(shape)}; it takes {list(self.port.shape)}."
            raise Failed("model_failed", sentence)


class Sequences:
    """What of a model's inputs and outputs belongs to sequences."""

    def __init__(self, config: SequenceConfig, inputs: Sequence[Port], outputs: Sequence[Port], file: Path) -> None:
        self.idle_ms = config.idle_ms
        self.states = tuple(_kept(state, inputs, outputs, file) for state in config.states)
        self._controls = tuple((_controlled(each, inputs), each) for each in config.controls)
        own = {kept.input_at for kept in self.states} | {at for at, _ in self._controls}
        self.inputs = tuple(at for at in range(len(inputs)) if at not in own)
        self.outputs = tuple(at for at in range(len(outputs)) if at not in {kept.output_at for kept in self.states})
        self._ranks = {at: len(inputs[at].shape) for at, _ in self._controls}
        self._width = len(inputs)
        if not self.outputs:
            raise Failed("load_failed", "sequence_batching leaves no output that a caller could see.")
        self.first = [kept.first for kept in self.states]
        if sum(len(data) for _, data in self.first) > STATE_BYTES:
            raise Failed("load_failed", f"The states of a sequence have more than {STATE_BYTES} bytes.")

    def check_id(self, name: str) -> None:
        """Raise `bad_request` for an id that the model cannot be told, because it takes a number."""
        for _, control in self._controls:
            if control.kind == "id" and control.datatype != "BYTES":
                try:
                    np.array([int(name)], DTYPES[control.datatype])
                except (ValueError, OverflowError):
                    sentence = f"The model takes sequence ids as {control.datatype}; {name!r} is none."
                    raise InvalidRequest("bad_request", sentence) from None

    def arrays(
        self, asked: Sequence[Array], states: Sequence[Sequence[StateValue]], steps: Sequence[Step]
    ) -> list[Array]:
        """All inputs of the model, for as many rows as there are steps; `asked` is what the callers sent."""
        rows = len(steps)
        made: list[Array | None] = [None] * self._width
        for at, array in zip(self.inputs, asked, strict=True):
            made[at] = array
        for place, kept in enumerate(self.states):
            shape = states[0][place][0]
            data = b"".join([each[place][1] for each in states])
            array = np.frombuffer(data, DTYPES[kept.port.datatype])
            made[kept.input_at] = array.reshape(shape if rows == 1 else (rows, *shape[1:]))
        for at, control in self._controls:
            made[at] = _told(control, steps, self._ranks[at])
        return made  # type: ignore[return-value]

    def divide(self, outputs: Sequence[Array], rows: int) -> tuple[list[Array], list[list[StateValue]]]:
        """What the callers get, and for each row its new states. Raises `model_failed` if rows are missing."""
        columns: list[list[StateValue]] = []
        for kept in self.states:
            array = outputs[kept.output_at]
            if rows > 1 and (array.ndim == 0 or array.shape[0] != rows):
                raise Failed("model_failed", f"The model did not answer {rows} rows with as many states.")
            data, shape = to_bytes(array, kept.port.datatype), array.shape if rows == 1 else (1, *array.shape[1:])
            kept.check(shape)
            size = len(data) // rows
            columns.append([(shape, data[at * size : (at + 1) * size]) for at in range(rows)])
        states = [[column[at] for column in columns] for at in range(rows)]
        return [outputs[at] for at in self.outputs], states

    def __repr__(self) -> str:
        return f"<Sequences with {len(self.states)} states and {len(self._controls)} controls, {self.idle_ms} ms idle>"


def _told(control: Control, steps: Sequence[Step], rank: int) -> Array:
    """A control of these steps, one row each."""
    shape = (len(steps), *(1,) * (rank - 1)) if rank else ()
    if control.kind == "id":
        if control.datatype == "BYTES":
            return np.array([name for name, _, _ in steps], dtype=object).reshape(shape)
        return np.array([int(name) for name, _, _ in steps], DTYPES[control.datatype]).reshape(shape)
    false, true = control.false_true
    flags = {"start": [step[1] for step in steps], "end": [step[2] for step in steps]}.get(control.kind)
    values = [true if flag else false for flag in flags] if flags is not None else [true] * len(steps)
    return np.array(values, DTYPES[control.datatype]).reshape(shape)


def _kept(state: State, inputs: Sequence[Port], outputs: Sequence[Port], file: Path) -> Kept:
    """A state, held against the model. Raises `load_failed`."""
    at, out = _place(state.input_name, inputs, "input"), _place(state.output_name, outputs, "output")
    for port in (inputs[at], outputs[out]):
        if port.datatype != state.datatype or not _fits(state.dims, port.shape):
            said, found = f"{state.datatype} {list(state.dims)}", f"{port.datatype} {list(port.shape)}"
            raise Failed("load_failed", f"State {port.name!r} is stated as {said}; it is {found}.")
    port, sizes = inputs[at], state.initial.dims
    row = len(sizes) < len(port.shape)
    shape = (1, *sizes) if row else sizes
    if state.initial.data_file:
        return Kept(at, out, port, (shape, _read(state, shape, file)), row)
    size = prod(shape) * DTYPES[state.datatype].itemsize
    if size > STATE_BYTES:
        raise Failed("load_failed", f"State {port.name!r} has {size} bytes; a sequence may keep {STATE_BYTES}.")
    return Kept(at, out, port, (shape, bytes(size)), row)


def _place(name: str, ports: Sequence[Port], what: str) -> int:
    names = [port.name for port in ports]
    if name not in names:
        raise Failed("load_failed", f"sequence_batching names {what} {name!r}; the model has {', '.join(names)}.")
    return names.index(name)


def _fits(dims: Sequence[int], shape: Sequence[int]) -> bool:
    """The batch dimension may be left out. -1 stands for any size, on either side."""
    inner = shape if len(shape) == len(dims) else shape[1:]
    return len(inner) == len(dims) and all(-1 in (a, b) or a == b for a, b in zip(dims, inner, strict=True))


def _controlled(control: Control, inputs: Sequence[Port]) -> int:
    at = _place(control.name, inputs, "input")
    port = inputs[at]
    if port.datatype != control.datatype:
        raise Failed("load_failed", f"Control {port.name!r} is stated as {control.datatype}; it is {port.datatype}.")
    if any(size not in (-1, 1) for size in port.shape):
        raise Failed("load_failed", f"Control {port.name!r} must be one value a row; it is {list(port.shape)}.")
    return at


def _read(state: State, shape: tuple[int, ...], file: Path) -> bytes:
    """The bytes of a first state. Raises `load_failed`."""
    path = first_state(state.initial.data_file, file)
    data = path.read_bytes()
    try:
        from_bytes(state.input_name, state.datatype, shape, data)
    except InvalidRequest as failure:
        raise Failed("load_failed", f"initial_state: {path}: {failure.message}") from None
    return data


def first_state(name: str, file: Path) -> Path:
    """The file of a first state, beside a model's file or above its version. Raises `load_failed`."""
    if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
        raise Failed("load_failed", f"initial_state: {name!r} must lie in the directory {DIRECTORY!r}.")
    for directory in (file.parent / DIRECTORY, file.parent.parent / DIRECTORY):
        path = directory / name
        if path.is_file() and path.resolve().is_relative_to(directory.resolve()):
            return path
    raise Failed("load_failed", f"initial_state: there is no {DIRECTORY}/{name} beside {file} or above it.")


def shown(model: Runtime) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """The inputs that callers send and the outputs that they get: all but what belongs to sequences."""
    kept = model.sequences
    if kept is None:
        return model.inputs, model.outputs
    return tuple(model.inputs[at] for at in kept.inputs), tuple(model.outputs[at] for at in kept.outputs)


def sequences_of(model: Runtime) -> Sequences | None:
    """What of an open model's tensors belongs to sequences, as its config says. Raises `load_failed`."""
    stated = model.options.sequences
    return None if stated is None else Sequences(stated, model.inputs, model.outputs, model.file.path)
