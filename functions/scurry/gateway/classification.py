"""An output told by its largest classes, as Triton does.

Each becomes a text `value:index`, with `:label` behind it where labels are known. Pure: no I/O here.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np

from scurry.gateway.describe import Record, version_of
from scurry.transforms.classes import largest
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import Tensor
from scurry.wire.tensors import BF16, Array, is_float, to_array, to_tensor

MOST: Final = 1_000_000
"""Elements of an output that may be told so: each of them may become a text."""


def classify(tensor: Tensor, count: int, labels: Sequence[str] = (), *, batched: bool = True) -> Tensor:
    """The `count` largest of each row, or of the whole output where the first dimension is no batch.

    Raises `InvalidRequest` for an output that is no numbers.
    """
    if tensor.datatype in ("BYTES", "BOOL"):
        sentence = f"Output {tensor.name!r} is {tensor.datatype}: `classification` is for numbers, ask without it."
        raise InvalidRequest("bad_request", sentence)
    values = to_array(tensor)
    if values.size > MOST:
        sentence = f"Output {tensor.name!r} has {values.size} elements: `classification` is for {MOST} at most."
        raise InvalidRequest("bad_request", sentence)
    if values.dtype == BF16:
        values = values.astype(np.float32)
    sizes = values.shape if batched and values.ndim else (1, *values.shape)
    rows = values.reshape(sizes[0], prod(sizes[1:]))
    told = [[_text(row, at, labels) for at in best] for row, best in zip(rows, largest(rows, count), strict=True)]
    shape = (*values.shape[: int(batched)], min(count, rows.shape[1]))
    return to_tensor(tensor.name, np.array(told, dtype=object).reshape(shape))


def labels_of(record: Record, name: str, version: str, output: str) -> list[str]:
    """The labels of one of a model's outputs: those it was registered with, else what its `label_filename` holds."""
    one = version_of(record, name, version)
    config = one.get("config") or {}
    for step in config.get("postprocessing") or ():
        found = step.get("labels") if isinstance(step, dict) and step.get("output", output) == output else None
        if isinstance(found, list):
            return [str(label) for label in found]
    found = config.get("labels")
    if isinstance(found, list):
        return [str(label) for label in found]
    specs = (one.get("signature") or {}).get("outputs", ())
    return next((spec.get("labels", []) for spec in specs if spec["name"] == output), [])


def _text(row: Array, at: int, labels: Sequence[str]) -> bytes:
    value = f"{row[at]:f}" if is_float(row.dtype) else str(row[at])
    return f"{value}:{at}{':' + labels[at] if at < len(labels) else ''}".encode()
