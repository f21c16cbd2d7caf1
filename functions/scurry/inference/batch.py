"""A batch: items are stacked, run through the model once, split.

The items of a batch that the model refuses are run again singly. Pure but for the model itself.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from scurry.inference.ragged import trimmed
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.tensors import DTYPES, Array, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.inference.items import BatchItem, Buffer, Piece
    from scurry.inference.layouts import InputLayout, LayoutCache
    from scurry.inference.sizes import BatchSizes
    from scurry.runtimes.port import Port
    from scurry.runtimes.runtime import Parameters


class Runnable(Protocol):
    """What gives outputs for inputs."""

    def run(self, arrays: Sequence[Array], parameters: Parameters = ...) -> list[Array]:
        """Run once. Raises `ScurryError`."""
        ...


class RowFault(NamedTuple):
    """Why one row of an input cannot be used; `why` goes on from the input's name."""

    input: str
    why: str

    def told(self, row: int, rows: int) -> InvalidRequest:
        """What its caller is told, who sent so many rows."""
        where = f", row {row}," if rows > 1 else ""
        return InvalidRequest("input_value", f"Input {self.input!r}{where} {self.why}.")


class PartlyFailed(InvalidRequest):
    """Some rows cannot be used, and the others have their outputs: rows of a batch fail alone."""

    def __init__(self, outputs: Sequence[Array], faults: Mapping[int, RowFault], rows: int) -> None:
        first = min(faults)
        told = faults[first].told(first, rows)
        super().__init__(told.code, told.message)
        self.outputs, self.faults = outputs, faults

    def kept(self) -> ScurryError:
        """The first of the faults, without outputs."""
        return InvalidRequest(self.code, self.message)


COPIED_BYTES: Final = 64 * 1024
"""Outputs up to this are copied out of numpy's hands once: slices of bytes are cheaper than views."""


def batches(items: Sequence[BatchItem], sizes: BatchSizes, *, batched: bool, alike: int) -> list[list[BatchItem]]:
    """Items that go into one model call together, at most `sizes.limit` rows; `alike` is what `same_rows` says of them.

    That rows are independent was shown for 1 to that limit of them: whoever brings more, or none, goes alone.
    """
    ready = [item for item in items if item.failure is None and item.needs is None and not item.cached]
    limit = sizes.limit
    if not batched or limit <= 1 or len(ready) == 1:
        return [[item] for item in ready]
    if sizes.preferred:
        return _cut(ready, sizes)
    if alike:  # mostly all are
        step = max(1, limit // alike)
        return [ready[at : at + step] for at in range(0, len(ready), step)]
    made: list[list[BatchItem]] = []
    open_ones: dict[Any, tuple[list[BatchItem], int]] = {}  # what still has room, and its rows
    for item in ready:
        layout: InputLayout = item.layout  # type: ignore[assignment]
        rows, together = layout.rows, 0 < layout.rows <= limit
        batch, filled = open_ones.get(layout.group, (None, 0)) if together else (None, 0)
        if batch is None or filled + rows > limit:
            batch, filled = [], 0
            made.append(batch)
        batch.append(item)
        if together:
            open_ones[layout.group] = batch, filled + rows
    return made


def _cut(ready: Sequence[BatchItem], sizes: BatchSizes) -> list[list[BatchItem]]:
    """The same, into preferred sizes: all that look alike first, then cut."""
    groups: dict[Any, list[BatchItem]] = {}
    for at, item in enumerate(ready):
        layout: InputLayout = item.layout  # type: ignore[assignment]
        groups.setdefault(layout.group if 0 < layout.rows <= sizes.limit else at, []).append(item)
    made: list[list[BatchItem]] = []
    for group in groups.values():
        start = 0
        for count in sizes.cut([item.layout.rows for item in group]):  # type: ignore[union-attr]
            made.append(group[start : start + count])
            start += count
    return made


def same_rows(items: Sequence[BatchItem]) -> int:
    """How many rows each item has, if all have one layout; else, and for layouts without rows, 0."""
    first = items[0].layout if items else None
    if first is None or (len(items) > 1 and [item.layout for item in items].count(first) < len(items)):
        return 0
    return first.rows


def run(model: Runnable, layouts: LayoutCache, batch: Sequence[BatchItem]) -> None:
    """One model call for items of one group; singly when it fails."""
    try:
        _run_together(model, layouts, batch)
    except Exception as cause:
        if len(batch) == 1:
            batch[0].fail(cause)
            return
        for item in batch:
            run(model, layouts, [item])


def _run_together(model: Runnable, layouts: LayoutCache, batch: Sequence[BatchItem]) -> None:
    try:
        if len(batch) == 1 and not layouts.sizes.fills(batch[0].layout.rows):  # type: ignore[union-attr]
            take(layouts, batch[0], ask(model, batch[0], inputs_of(layouts, batch[0])))
        else:
            counts = _rows(batch)
            split(layouts, batch, counts, ask(model, batch[0], stack(layouts, batch, counts)))
    except PartlyFailed as partly:
        _take_rest(layouts, batch, _rows(batch), partly)


def _rows(batch: Sequence[BatchItem]) -> list[int]:
    return [item.layout.rows for item in batch]  # type: ignore[union-attr]


def _take_rest(layouts: LayoutCache, batch: Sequence[BatchItem], counts: Sequence[int], partly: PartlyFailed) -> None:
    """Fail the items that brought rows which could not be used; the others take what was made of theirs."""
    split(layouts, batch, counts, partly.outputs)
    start = 0
    for item, rows in zip(batch, counts, strict=True):
        first = next((row for row in range(rows) if start + row in partly.faults), None)
        if first is not None:
            item.fail(partly.faults[start + first].told(first, rows))
        start += rows


def ask(model: Runnable, first: BatchItem, arrays: Sequence[Array]) -> list[Array]:
    """Run the model, with the parameters that the items of a batch have in common."""
    parameters = first.layout.parameters if first.layout is not None else ()
    return model.run(arrays, dict(parameters)) if parameters else model.run(arrays)


def inputs_of(layouts: LayoutCache, item: BatchItem) -> list[Array]:
    """The model's inputs for an item alone, without a copy."""
    return [_array(port, item, at) for at, port in enumerate(layouts.inputs)]


def take(layouts: LayoutCache, item: BatchItem, outputs: Sequence[Array]) -> None:
    """Give an item alone all that the model gave."""
    if item.layout is not None and item.layout.padded:
        outputs = trimmed(item.layout, layouts.inputs, layouts.outputs, layouts.padding, outputs)
    item.outputs = [(each.shape, _packed(each, port)) for each, port in zip(outputs, layouts.outputs, strict=True)]


def stack(layouts: LayoutCache, batch: Sequence[BatchItem], counts: Sequence[int]) -> list[Array]:
    """The model's inputs for items of so many rows each, filled up where that is wished: one copy for each input."""
    first: InputLayout = batch[0].layout  # type: ignore[assignment]
    rows = sum(counts)
    more = layouts.sizes.filled(rows) - rows
    arrays: list[Array] = []
    for at, port in enumerate(layouts.inputs):
        if more or first.padded or port.datatype == "BYTES":
            pieces = [_array(port, item, at) for item in batch]
            arrays.append(np.concatenate([*pieces, *([pieces[-1][-1:]] * more)]))
        else:
            # A bytearray, because some frameworks share only memory that may be written to.
            joined = bytearray().join([item.data[at] for item in batch])
            arrays.append(np.frombuffer(joined, DTYPES[port.datatype]).reshape(rows, *first.shapes[at][1:]))
    return arrays


def _array(port: Port, item: BatchItem, at: int) -> Array:
    """One input of one item, padded where its layout says so."""
    layout: InputLayout = item.layout  # type: ignore[assignment]
    array = from_bytes(port.name, port.datatype, layout.shapes[at], item.data[at])
    return layout.padded[at].applied(array) if layout.padded else array


def split(layouts: LayoutCache, batch: Sequence[BatchItem], counts: Sequence[int], outputs: Sequence[Array]) -> None:
    """Give each item its rows of every output. Raises `model_failed` when there are not as many as went in."""
    total = layouts.sizes.filled(sum(counts))
    for each in outputs:
        if each.ndim == 0 or each.shape[0] != total:
            raise Failed("model_failed", f"The model did not answer {total} rows with as many.")
    if batch[0].layout is not None and batch[0].layout.padded:
        _split_padded(layouts, batch, counts, outputs)
        return
    columns = [_column(array, port, counts) for array, port in zip(outputs, layouts.outputs, strict=True)]
    for item, *pieces in zip(batch, *columns, strict=True):
        item.outputs = pieces


def _split_padded(
    layouts: LayoutCache, batch: Sequence[BatchItem], counts: Sequence[int], outputs: Sequence[Array]
) -> None:
    """The same for items of several lengths: each has its own part of every row."""
    start = 0
    for item, rows in zip(batch, counts, strict=True):
        take(layouts, item, [each[start : start + rows] for each in outputs])
        start += rows


def _column(array: Array, port: Port, counts: Sequence[int]) -> list[Piece]:
    """One output, cut into the items' rows."""
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
