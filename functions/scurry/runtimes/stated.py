"""What a config states of a model's tensors, held against the model.

Triton's form: `input` and `output` are lists of `name`, `data_type` (`TYPE_FP32`) and `dims`, without the batch
dimension where `max_batch_size` is above 0. A config that belongs to another model is better refused than believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.runtimes.declared import refuse_others
from scurry.wire.errors import Failed
from scurry.wire.tensors import DTYPES, is_float

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.runtimes.options import Options
    from scurry.runtimes.padding import PaddingRule
    from scurry.runtimes.port import Port

CHANGING: Final = ("reshape", "is_shape_tensor", "allow_ragged_batch", "is_non_linear_format_io", "optional")
"""What of a tensor would change how it is given to the model."""
KNOWN: Final = {
    "input": frozenset({"name", "data_type", "dims", "format", *CHANGING}),
    "output": frozenset({"name", "data_type", "dims", "label_filename", *CHANGING}),
}
"""What Triton has there."""


def check_stated(options: Options, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    """Raise `load_failed` for the first tensor that is not as stated. Outputs may be left out, inputs may not."""
    batched = (options.max_batch_size or 0) > 0
    _check("input", options.input, inputs, batched=batched)
    _check("output", options.output, outputs, batched=batched)
    _check_padding(options.padding, inputs, outputs)
    missing = {port.name for port in inputs} - {each.get("name") for each in options.input}
    if options.input and missing:
        raise Failed("load_failed", f"The config states no input {sorted(missing)[0]!r}, which the model takes.")


def _check_padding(rules: Mapping[str, PaddingRule], inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    """Padding needs an axis 1 of any size, of numbers that hold the value; what is cut back needs one as well."""
    known, longer = {port.name: port for port in inputs}, {port.name for port in outputs if len(port.shape) > 1}
    for name, rule in rules.items():
        port = known.get(name)
        if port is None:
            raise Failed("load_failed", f"padding.{name}: the model has no such input; it has {', '.join(known)}.")
        if len(port.shape) < 2 or port.shape[1] >= 0 or port.datatype not in DTYPES:
            what = f"{port.datatype} {list(port.shape)}"
            raise Failed("load_failed", f"padding.{name}: the input is {what}; axis 1 must be -1, of numbers.")
        if not _holds(DTYPES[port.datatype], rule.value):
            raise Failed("load_failed", f"padding.{name}.value: {rule.value!r} is no {port.datatype}.")
        foreign = next((each for each in rule.trims if each not in longer), None)
        if foreign is not None:
            raise Failed("load_failed", f"padding.{name}.trims: the model has no output {foreign!r} with an axis 1.")


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    if is_float(dtype):
        return True
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return low <= value <= high and value == int(value)


def _check(kind: str, stated: Sequence[Mapping[str, Any]], ports: Sequence[Port], *, batched: bool) -> None:
    known = {port.name: port for port in ports}
    for each in stated:
        name = each.get("name")
        port = known.get(name) if isinstance(name, str) else None
        if port is None:
            raise Failed("load_failed", f"The config states an {kind} {name!r}; the model has {', '.join(known)}.")
        refuse_others(f"{kind} {name!r} in the config", each, KNOWN[kind])
        changing = next((word for word in CHANGING if each.get(word)), None)
        if changing is not None:
            raise Failed("load_failed", f"{changing!r} of {kind} {name!r} does not work here yet.")
        datatype = _datatype(each.get("data_type", port.datatype))
        if datatype != port.datatype:
            raise Failed("load_failed", f"The config states {kind} {name!r} as {datatype}; it is {port.datatype}.")
        dims = each.get("dims")
        if dims is not None and not _fits(dims, port.shape[1:] if batched else port.shape):
            what = f"{dims}{' behind the batch dimension' if batched else ''}"
            raise Failed("load_failed", f"The config states {kind} {name!r} as {what}; it is {list(port.shape)}.")


def _datatype(stated: object) -> str:
    text = str(stated).removeprefix("TYPE_")
    return "BYTES" if text == "STRING" else text


def _fits(dims: object, shape: Sequence[int]) -> bool:
    """-1 stands for any size, on either side."""
    return (
        isinstance(dims, list)
        and len(dims) == len(shape)
        and all(-1 in (want, size) or want == size for want, size in zip(dims, shape, strict=True))
    )
