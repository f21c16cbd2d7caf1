"""A batch: members are stacked, run through the model once, split.

The members of a batch that the model refuses are run again singly. Pure but for the model itself.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.wire.errors import Failed, ScurryError
from scurry.wire.tensors import DTYPES, Array, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.inference.forms import Form, Forms
    from scurry.inference.members import Buffer, Member, Piece
    from scurry.runtimes.runtime import Port, Runtime

COPIED_BYTES: Final = 64 * 1024
"""Outputs up to this are copied out of numpy's hands once: slices of bytes are cheaper than views."""


def batches(members: Sequence[Member], limit: int, *, batched: bool) -> list[list[Member]]:
    """Members that go into one model call together, at most `limit` rows; a larger request goes alone."""
    ready = [member for member in members if member.failure is None and member.needs is None]
    if not batched or limit <= 1:
        return [[member] for member in ready]
    groups: dict[Any, list[list[Member]]] = {}
    filled: dict[Any, int] = {}
    for member in ready:
        form: Form = member.form  # type: ignore[assignment]
        rows = filled.get(form.group, limit) + form.rows
        if rows > limit:
            groups.setdefault(form.group, []).append([])
            rows = form.rows
        groups[form.group][-1].append(member)
        filled[form.group] = rows
    return [batch for group in groups.values() for batch in group]


def run(model: Runtime, forms: Forms, batch: Sequence[Member]) -> None:
    """One model call for members of one group; singly when it fails."""
    try:
        split(forms, batch, model.run(stack(forms, batch)))
    except Exception as cause:
        if len(batch) == 1:
            fault = Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}")
            batch[0].failure = cause if isinstance(cause, ScurryError) else fault
            return
        for member in batch:
            run(model, forms, [member])


def stack(forms: Forms, batch: Sequence[Member]) -> list[Array]:
    """The model's inputs: one copy for each, none for a member alone."""
    first: Form = batch[0].form  # type: ignore[assignment]
    if len(batch) == 1:
        return [
            from_bytes(port.name, port.datatype, shape, data)
            for port, shape, data in zip(forms.inputs, first.shapes, batch[0].data, strict=True)
        ]
    arrays: list[Array] = []
    for at, port in enumerate(forms.inputs):
        if port.datatype == "BYTES":
            arrays.append(np.concatenate([stack(forms, [member])[at] for member in batch]))
        else:
            # A bytearray, because some frameworks share only memory that may be written to.
            joined = bytearray().join([member.data[at] for member in batch])
            arrays.append(np.frombuffer(joined, DTYPES[port.datatype]).reshape(-1, *first.shapes[at][1:]))
    return arrays


def split(forms: Forms, batch: Sequence[Member], outputs: Sequence[Array]) -> None:
    """Give each member its rows of every output. Raises `model_failed` when there are not as many as went in."""
    if len(batch) == 1:
        batch[0].outputs = [
            (each.shape, _packed(each, port)) for each, port in zip(outputs, forms.outputs, strict=True)
        ]
        return
    counts = [member.form.rows for member in batch]  # type: ignore[union-attr]
    total = sum(counts)
    if any(each.ndim == 0 or each.shape[0] != total for each in outputs):
        raise Failed("model_failed", f"The model did not answer {total} rows with as many.")
    columns = [_column(array, port, counts) for array, port in zip(outputs, forms.outputs, strict=True)]
    for member, *pieces in zip(batch, *columns, strict=True):
        member.outputs = pieces


def _column(array: Array, port: Port, counts: Sequence[int]) -> list[Piece]:
    """One output, cut into the members' rows."""
    tail = array.shape[1:]
    pieces: list[Piece] = []
    start = 0
    if port.datatype == "BYTES":
        for rows in counts:
            pieces.append(((rows, *tail), to_bytes(array[start : start + rows], "BYTES")))
            start += rows
        return pieces
    packed, size = _packed(array, port), prod(tail) * array.itemsize
    shapes = {rows: (rows, *tail) for rows in set(counts)}
    for rows in counts:
        end = start + rows * size
        pieces.append((shapes[rows], packed[start:end]))
        start = end
    return pieces


def _packed(array: Array, port: Port) -> Buffer:
    """Row-major bytes; large arrays are not copied."""
    if port.datatype == "BYTES" or array.nbytes <= COPIED_BYTES:
        return to_bytes(array, port.datatype)
    plain = np.ascontiguousarray(array, DTYPES[port.datatype])
    return plain.reshape(-1).view(np.uint8).data
