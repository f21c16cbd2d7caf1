"""Cluster Serving's Arrow streams: columns in, a batch per output out.

Both framings of Arrow are read. A tensor is a column of structs whose four children stand in rows of their own: each is
found by its name and taken as a whole, as writers differ in order, names of items and types. Pure.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.protocols.cluster_serving_columns import Column, Dense, Text, dense, sparse, wrong
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.tensors import Array

if TYPE_CHECKING:
    from collections.abc import Iterable

CHILDREN: Final = ("indiceData", "indiceShape", "data", "shape")


def arrow() -> Any:  # noqa: ANN401 - a package that may be absent
    """The module pyarrow. Raises `load_failed` where it is missing."""
    try:
        import pyarrow.ipc  # noqa: PLC0415 - an extra
    except ImportError:
        sentence = "Cluster Serving's data needs pyarrow, which is missing here: pip install 'scurry[cluster-serving]'."
        raise Failed("load_failed", sentence) from None
    return pyarrow


def read_columns(body: bytes) -> list[Column]:
    """The columns of the one record in base64 of an Arrow stream. Raises `InvalidRequest`."""
    pa = arrow()
    try:
        stream = b64decode(body, validate=True)
        if stream[:6] == b"ARROW1":
            raise InvalidRequest("bad_request", "The data is an Arrow file; enqueue() sends a stream: call that.")
        with pa.ipc.open_stream(stream) as reader:
            _refuse_compressed(pa, stream)
            batch = reader.read_next_batch()
        batch.validate(full=True)  # the reader believes whatever offsets it is given
        return [_column(pa, str(name), batch.column(at)) for at, name in enumerate(batch.schema.names)]
    except binascii.Error as cause:
        raise InvalidRequest("bad_request", f"The data is not base64: {cause}.") from None
    except StopIteration:
        raise InvalidRequest("bad_request", "The data is an Arrow stream without a record batch.") from None
    except (pa.ArrowException, OSError, ValueError) as cause:
        first = str(cause).partition("\n")[0][:200]
        raise InvalidRequest("bad_request", f"The data is no Arrow stream that can be read: {first}.") from None


def _refuse_compressed(pa: Any, stream: bytes) -> None:  # noqa: ANN401
    """Clients never compress, and what is small when it is sent must not fill the memory."""
    for message in pa.ipc.MessageReader.open_stream(stream):
        if message.type == "dictionary":
            raise InvalidRequest("bad_request", "The data is an Arrow stream with dictionaries: send plain columns.")
        if message.type == "record batch" and _has_compression(bytes(message.metadata)):
            raise InvalidRequest("bad_request", "The data is a compressed Arrow stream: send it without compression.")


def _has_compression(metadata: bytes) -> bool:
    """Whether the record batch in a flatbuffer `Message` has the fourth field of its table, `compression`."""

    def number(at: int, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(metadata[at : at + size], "little", signed=signed)

    def field(table: int, place: int) -> int:
        """Where a field of a table lies; 0: it has none."""
        fields = table - number(table, 4, signed=True)
        offset = number(fields + 4 + 2 * place, 2) if 4 + 2 * place < number(fields, 2) else 0
        return table + offset if offset else 0

    header = field(number(0, 4), 2)
    return bool(header and field(header + number(header, 4), 3))


def _column(pa: Any, name: str, column: Any) -> Column:  # noqa: ANN401
    kind = column.type
    if pa.types.is_struct(kind):
        found = {each.name for each in kind}
        missing = [child for child in ("data", "shape") if child not in found]
        if missing:
            raise wrong(name, f"is a struct without {missing[0]!r}", "input_datatype")
        return _tensor(name, {child: _numbers(pa, name, column, child) for child in CHILDREN if child in found})
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = column.drop_null().to_pylist()
        if len(texts) != 1:
            raise wrong(name, f"is a column of {len(texts)} texts; one is expected")
        return Text(name, texts[0])
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = column.drop_null().to_numpy(zero_copy_only=False)
        return Dense(name, values[0:1].reshape(()) if len(values) == 1 else values)
    raise wrong(name, f"is a column of {kind}, which no client sends", "input_datatype")


def _tensor(name: str, parts: dict[str, Array]) -> Column:
    indices, indices_shape = parts.get("indiceData"), parts.get("indiceShape")
    if indices is None or indices_shape is None or not len(indices_shape):
        return dense(name, parts["data"], parts["shape"])
    return sparse(name, indices, indices_shape, parts["data"], parts["shape"])


def _numbers(pa: Any, name: str, column: Any, child: str) -> Array:  # noqa: ANN401
    """All values of one child, whichever rows they lie in; a view where they are as they came."""
    lists = column.field(child)
    if not (pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)):
        raise wrong(name, f"has a child {child!r} of {lists.type}, which is no list", "input_datatype")
    values = lists.flatten()
    if pa.types.is_string(values.type):
        return _texts(name, child, values.to_pylist())
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)) or values.null_count:
        raise wrong(name, f"has a child {child!r} of {values.type}, or with nulls: numbers are expected", "input_value")
    array: Array = values.to_numpy(zero_copy_only=False)
    return array


def _texts(name: str, child: str, values: list[str | None]) -> Array:
    """What the Scala writer makes of a list of texts."""
    if child != "data" or None in values:
        raise wrong(name, f"has a child {child!r} of texts: numbers are expected", "input_value")
    array = np.empty(len(values), object)
    array[:] = values
    return array


def write_batches(outputs: Iterable[tuple[Array, tuple[int, ...]]]) -> bytes:
    """Base64 of an Arrow stream with a batch for each output: its numbers, and its shape in the first rows beside."""
    pa = arrow()
    schema = pa.schema([("data", pa.float32()), ("shape", pa.int32())])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for values, shape in outputs:
            size = len(values)
            sizes = np.zeros(size, np.int32)
            sizes[: len(shape)] = shape
            stated = pa.array(sizes, mask=np.arange(size) >= len(shape))
            writer.write_batch(pa.record_batch([pa.array(values), stated], schema=schema))
    return b64encode(sink.getvalue())
