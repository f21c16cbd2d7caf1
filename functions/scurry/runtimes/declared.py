"""What a config declares of tensors that a model's file does not.

`inputs` and `outputs` are lists in the Open Inference Protocol's form of metadata: `name`, `datatype` and `shape`, each
dimension included. `input` and `output` are Triton's: `name`, `data_type` and `dims`, without the batch dimension where
`max_batch_size` is above 0. The first wins where both are given.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.queue_options import refuse_unknown
from scurry.wire.tensors import DTYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from scurry.runtimes.options import Options

NUMBERED: Final = re.compile(r".+__([0-9]+)")
"""Triton's convention: `INPUT__0` is the first."""


def declared_inputs(options: Options) -> tuple[Port, ...]:
    """The inputs, in the config's order; none when it says nothing. Raises `load_failed`."""
    return _declared(options, "inputs", options.inputs, "input", options.input)


def declared_outputs(options: Options) -> tuple[Port, ...]:
    """The outputs, likewise."""
    return _declared(options, "outputs", options.outputs, "output", options.output)


def placed(ports: Sequence[Port], known: Sequence[str]) -> list[int]:
    """Which of a function's arguments (or results) each port is: by its name, by Triton's number, else by its place."""
    found = [_place(port.name, known) for port in ports]
    if all(at is None for at in found):
        return list(range(len(ports)))
    missing = next((port.name for port, at in zip(ports, found, strict=True) if at is None), None)
    if missing is not None:
        raise Failed("load_failed", f"The config states {missing!r}; the model has {', '.join(known) or 'no names'}.")
    if len(set(found)) < len(found):
        raise Failed("load_failed", f"The config states {[port.name for port in ports]}: two of them are the same one.")
    return [at for at in found if at is not None]


def _place(name: str, known: Sequence[str]) -> int | None:
    if name in known:
        return known.index(name)
    numbered = NUMBERED.fullmatch(name)
    return int(numbered.group(1)) if numbered else None


def _declared(
    options: Options, long: str, ours: Sequence[Mapping[str, Any]], short: str, triton: Sequence[Mapping[str, Any]]
) -> tuple[Port, ...]:
    if ours:
        for each in ours:
            refuse_others(f"{long!r} in the config", each, ("name", "datatype", "shape"))
        return tuple(_port(long, each, "datatype", "shape", ()) for each in ours)
    rows = (-1,) if (options.max_batch_size or 0) > 0 else ()
    return tuple(_port(short, each, "data_type", "dims", rows) for each in triton)


def refuse_others(where: str, given: Collection[str], known: Collection[str]) -> None:
    """Raise `load_failed` for a name that is none of the known ones, with the nearest of them."""
    try:
        refuse_unknown(where, given, known)
    except ValueError as failure:
        raise Failed("load_failed", f"{failure}.") from None


def _port(kind: str, given: Mapping[str, Any], datatype_in: str, shape_in: str, rows: tuple[int, ...]) -> Port:
    name, shape = given.get("name"), given.get(shape_in)
    if not isinstance(name, str) or not name:
        raise Failed("load_failed", f"An entry of {kind!r} in the config has no 'name'.")
    datatype = str(given.get(datatype_in, "")).removeprefix("TYPE_").replace("STRING", "BYTES")
    if datatype not in DTYPES and datatype != "BYTES":
        known = ", ".join((*DTYPES, "BYTES"))
        raise Failed("load_failed", f"{datatype_in!r} of {name!r} in the config must be one of {known}.")
    if not isinstance(shape, list) or not all(isinstance(size, int) and size >= -1 for size in shape):
        raise Failed("load_failed", f"{shape_in!r} of {name!r} in the config must be a list of sizes, -1 for any.")
    return Port(name, datatype, (*rows, *shape))
