"""Cluster Serving's records and answers, to and from our messages.

A record has no batch dimension: one is put before its tensors, and taken from what the model gives. Names are the
model's only if all of them are; else inputs stand in the model's order, which is what the original goes by. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import numpy as np

from scurry.protocols.cluster_serving_arrow import read_columns, write_batches
from scurry.protocols.cluster_serving_columns import Column, Sparse, Text, read_instances, wrong
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_ARROW, ENCODING_INSTANCES
from scurry.wire.tensors import DTYPES, Array, from_bytes, is_float, to_tensor

READERS: Final[dict[int, Callable[[bytes], list[Column]]]] = {
    ENCODING_ARROW: read_columns,
    ENCODING_INSTANCES: read_instances,
}
"""How the data of a stream entry is read, by what its request says of it."""
BETWEEN: Final = "|"
"""Between the texts of a list, in which a client cannot keep it from standing."""


class Named(Protocol):
    """An output."""

    @property
    def name(self) -> str: ...
    @property
    def datatype(self) -> str: ...


class Port(Named, Protocol):
    """What an input of a model is called and takes; -1 is any size."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def is_cluster_serving(encoding: int) -> bool:
    """Whether a body is written as Cluster Serving's clients write it."""
    return encoding in READERS


def decode_request(body: bytes, encoding: int, ports: Sequence[Port], *, batched: bool) -> tuple[InferRequest, bool]:
    """The request in a record, and whether a batch dimension was put before it. Raises `InvalidRequest`.

    With `batched`, what comes has one already.
    """
    return request_of(READERS[encoding](body), ports, batched=batched)


def request_of(columns: list[Column], ports: Sequence[Port], *, batched: bool) -> tuple[InferRequest, bool]:
    """The same of a record that was read already. Raises `InvalidRequest`."""
    request, added = InferRequest(), False
    columns = _in_order(columns, ports)
    rest = list(ports)
    for column in columns:
        if not rest:
            raise _count(columns, ports)
        if isinstance(column, Sparse) and _takes_parts(rest):
            three, rest = rest[:3], rest[3:]
            parts = (column.indices, column.values, np.array(column.shape, np.int64))
            for port, part in zip(three, parts, strict=True):
                request.inputs.append(to_tensor(port.name, _cast(port, part if batched else part[np.newaxis])))
            added = added or not batched
            continue
        port = rest.pop(0)
        array = _array(column, port, batched=batched)
        grows = not batched and array.ndim == len(port.shape) - 1
        request.inputs.append(to_tensor(port.name, _cast(port, array[np.newaxis] if grows else array)))
        added = added or grows
    if rest:
        raise _count(columns, ports)
    return request, added


def encode_reply(
    ports: Iterable[Named], outputs: Iterable[tuple[Sequence[int], bytes | memoryview]], *, added: bool
) -> bytes:
    """What the hash of a record gets: 32-bit numbers, without the batch dimension that was `added`. Raises `Failed`."""
    return write_batches(
        _numbers(port, tuple(shape), data, added=added) for port, (shape, data) in zip(ports, outputs, strict=True)
    )


def _in_order(columns: list[Column], ports: Sequence[Port]) -> list[Column]:
    """The columns as the model has its inputs."""
    named = {column.name: column for column in columns}
    names = [port.name for port in ports]
    if len(named) < len(columns) or not named.keys() <= set(names):
        return columns
    return [named[name] for name in names if name in named]


def _count(columns: Sequence[Column], ports: Sequence[Port]) -> InvalidRequest:
    have, take = (", ".join(repr(one.name[:64]) for one in them[:16]) for them in (columns, ports))
    sentence = f"The record has {len(columns)} inputs ({have}); the model takes {len(ports)} ({take})."
    return InvalidRequest("input_name", sentence)


def _takes_parts(ports: Sequence[Port]) -> bool:
    """Whether the next inputs are the indices, values and shape of a sparse tensor (docs/models.md)."""
    return [len(port.shape) for port in ports[:3]] == [3, 2, 2] and ports[0].datatype == ports[2].datatype == "INT64"


def _array(column: Column, port: Port, *, batched: bool) -> Array:
    """What a column brings for an input, without the dimension that may be missing."""
    rank = len(port.shape) - (not batched)
    if isinstance(column, Sparse):
        return column.dense()
    if isinstance(column, Text):
        return _texts(column, port, rank)
    if column.array.ndim == 0 and rank == 1:
        return column.array.reshape(1)
    return column.array


def _texts(column: Text, port: Port, rank: int) -> Array:
    if port.datatype != "BYTES":
        raise wrong(
            column.name, f"is a text or a picture, but the model takes {port.datatype}: register the model with a "
            "`preprocessing` that decodes pictures, or send numbers", "input_datatype",
        )  # fmt: skip
    if rank > 1:
        raise wrong(column.name, f"is a text; the model takes {list(port.shape)}", "input_rank")
    listed = rank == 1 and port.shape[-1] != 1
    texts = column.text.split(BETWEEN) if listed else [column.text]
    array = np.empty(len(texts), object)
    array[:] = texts
    return array if rank == 1 else array.reshape(())


def _cast(port: Port, array: Array) -> Array:
    """The numbers as the model takes them. Clients send every number as a float of 32 bits."""
    if port.datatype == "BYTES" or array.dtype == object:
        if array.dtype != object or port.datatype != "BYTES":
            raise wrong(port.name, f"takes {port.datatype}, and {_kind(array)} came", "input_datatype")
        return array
    dtype = DTYPES[port.datatype]
    if dtype.kind == "b":
        return np.not_equal(array, 0)
    if is_float(dtype):
        return array.astype(dtype, copy=False)
    with np.errstate(invalid="ignore"):
        cast = array.astype(dtype)
    if not np.array_equal(cast, array):
        raise wrong(port.name, f"takes {port.datatype}, and a number came that this cannot hold", "input_value")
    return cast


def _kind(array: Array) -> str:
    return "texts" if array.dtype == object else "numbers"


def _numbers(
    port: Named, shape: tuple[int, ...], data: bytes | memoryview, *, added: bool
) -> tuple[Array, tuple[int, ...]]:
    """One output flat, and its shape as the client can read it: no longer than there are numbers, none of them 0."""
    array = from_bytes(port.name, port.datatype, shape, data)
    try:
        flat = array.ravel().astype(np.float32, copy=False)
    except (ValueError, TypeError):
        sentence = f"Output {port.name!r} holds texts, for which Cluster Serving's answers have no form."
        raise Failed("model_failed", sentence) from None
    if not flat.size:
        sentence = f"Output {port.name!r} is empty, for which Cluster Serving's answers have no form."
        raise Failed("model_failed", sentence)
    sizes = list(shape[1:] if added and shape[:1] == (1,) else shape) or [1]
    while len(sizes) > flat.size:
        sizes.remove(1)
    return flat, tuple(sizes)
