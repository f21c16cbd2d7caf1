"""Inputs that a model is tried with when it is opened.

`model_warmup` in its config, as Triton writes it: a list of samples, each with `inputs` by name, each of these with
`dims` (the batch dimension left out; `batch_size` says how many rows) and one of `zero_data`, `random_data` and
`input_data_file`: raw bytes in the directory `warmup` beside the model's file or above it.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from scurry.runtimes.samples import KINDS, draw, too_large, zeros
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.tensors import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scurry.runtimes.port import Port
    from scurry.wire.tensors import Array

DIRECTORY: Final = "warmup"
SAMPLE: Final = frozenset({"name", "batch_size", "inputs", "count"})
INPUT: Final = frozenset({"data_type", "dims", "zero_data", "random_data", "input_data_file"})


def guessed(ports: Sequence[Port]) -> Iterator[tuple[str, list[Array]]]:
    """Zeros, then random rows; nothing of what would take too much memory."""
    if too_large(ports, 1):
        return
    yield "Zeros", zeros(ports, 1)
    for kind in KINDS:
        yield "A random row", draw(ports, 1, 0, kind)


def recorded(samples: Sequence[Mapping[str, Any]], ports: Sequence[Port], file: Path) -> list[tuple[str, list[Array]]]:
    """The samples of a config. Raises `load_failed` for what cannot be read."""
    made: list[tuple[str, list[Array]]] = []
    for at, sample in enumerate(samples):
        name = f"Warm-up sample {sample.get('name', at)!r}"
        _know(name, sample, SAMPLE)
        inputs, rows = sample.get("inputs"), sample.get("batch_size", 1)
        if not isinstance(inputs, dict) or set(inputs) != {port.name for port in ports}:
            raise Failed("load_failed", f"{name} must have the inputs {[port.name for port in ports]}.")
        if isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows <= 65536:
            raise Failed("load_failed", f"{name}: batch_size must be a whole number from 0 to 65536, not {rows!r}.")
        made.append(
            (name, [_input(f"{name}, input {port.name!r}", inputs[port.name], port, rows, file) for port in ports])
        )
    return made


def _input(name: str, given: object, port: Port, rows: int, file: Path) -> Array:
    if not isinstance(given, dict):
        raise Failed("load_failed", f"{name}, must be an object.")
    _know(name, given, INPUT)
    fixed = _port(name, given.get("dims", list(port.shape[1:])), port, max(1, rows))
    if given.get("input_data_file"):
        return _read(name, str(given["input_data_file"]), fixed, file)
    return draw([fixed], 1, 0, "unit")[0] if given.get("random_data") else zeros([fixed], 1)[0]


def _port(name: str, dims: object, port: Port, rows: int) -> Port:
    """The port with nothing left free."""
    if not isinstance(dims, list) or any(isinstance(size, bool) or not isinstance(size, int) for size in dims):
        raise Failed("load_failed", f"{name}: dims must be a list of whole numbers, not {dims!r}.")
    shape = (rows, *dims) if len(dims) == len(port.shape) - 1 else tuple(dims)
    fits = len(shape) == len(port.shape) and all(
        want in (-1, size) for size, want in zip(shape, port.shape, strict=True)
    )
    if not fits or any(not 0 < size < 2**31 for size in shape):
        raise Failed("load_failed", f"{name}: dims {dims} do not fit the model's {list(port.shape)}.")
    return type(port)(port.name, port.datatype, shape)


def _read(name: str, data_file: str, port: Port, file: Path) -> Array:
    if PurePath(data_file).is_absolute() or ".." in PurePath(data_file).parts:
        raise Failed("load_failed", f"{name}: {data_file!r} must lie in the directory {DIRECTORY!r}.")
    for directory in (file.parent / DIRECTORY, file.parent.parent / DIRECTORY):
        path = directory / data_file
        if path.is_file() and path.resolve().is_relative_to(directory.resolve()):
            try:
                return from_bytes(port.name, port.datatype, port.shape, path.read_bytes())
            except InvalidRequest as failure:
                raise Failed("load_failed", f"{name}: {path}: {failure.message}") from None
    raise Failed("load_failed", f"{name}: there is no {DIRECTORY}/{data_file} beside {file} or above it.")


def _know(name: str, given: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise Failed("load_failed", f"{name} has no {unknown[0]!r}; it may have {', '.join(sorted(known))}.")
