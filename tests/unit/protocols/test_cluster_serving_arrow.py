"""Arrow streams of Cluster Serving's clients, read and written."""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.protocols.cluster_serving_arrow import read_columns, write_batches
from scurry.protocols.cluster_serving_columns import Dense, Sparse, Text
from scurry.wire.errors import InvalidRequest, ScurryError

VECTORS: dict[str, str] = json.loads((Path(__file__).parents[2] / "vectors" / "cluster_serving.json").read_text())
"""What the original client wrote, and what the original server answered."""
CHILDREN = (("indiceData", pa.int32()), ("indiceShape", pa.int32()), ("data", pa.float32()), ("shape", pa.int32()))


def tensor(order: tuple[str, ...] = (), **parts: list[Any]) -> pa.Array:
    """A column as the original client makes it: each child in a row of its own, the others null there."""
    types = dict(CHILDREN)
    names = order or tuple(types)
    rows = [{child: parts.get(child, []) if child == each else None for child in names} for each in names]
    kinds = {**types, "data": pa.string()} if parts.get("data") and isinstance(parts["data"][0], str) else types
    return pa.array(rows, pa.struct([(child, pa.list_(kinds[child])) for child in names]))


def stream(*, legacy: bool = False, compression: str | None = None, **columns: pa.Array) -> bytes:
    """A record in base64."""
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(
        compression=compression, use_legacy_format=legacy,
        metadata_version=pa.ipc.MetadataVersion.V4 if legacy else pa.ipc.MetadataVersion.V5,
    )  # fmt: skip
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return b64encode(sink.getvalue())


def as_client(value: bytes) -> list[tuple[list[int], list[float]]]:
    """What the original client makes of an answer: shape and numbers of each output."""
    found = []
    for batch in pa.ipc.open_stream(b64decode(value)):
        shape = [size for size in batch.column(1).to_pylist() if size]
        array = batch.column(0).to_numpy().reshape(shape)
        found.append((list(array.shape), array.ravel().tolist()))
    return found


def test_the_original_clients_records_are_read() -> None:
    """Dense, texts, a picture, sparse."""
    dense, strings, image, few = (
        read_columns(VECTORS[name].encode())[0] for name in ("dense 2x2", "strings", "image", "sparse 5x10")
    )
    assert isinstance(dense, Dense)
    assert (dense.name, dense.array.tolist(), dense.array.dtype) == ("t", [[1, 2], [3, 4]], np.float32)
    assert strings == Text("s", "hello|world")
    assert image == Text("img", "/9j/4AAQ")
    assert isinstance(few, Sparse)
    assert few.indices.tolist() == [[0, 0], [1, 2], [4, 5]]
    assert (few.values.tolist(), few.shape) == ([101, 102, 103], (5, 10))


@pytest.mark.parametrize(
    ("vector", "values", "shape"),
    [("result 2x3", range(6), (2, 3)), ("result 1x1", range(1), (1,)), ("result 4", range(4), (4,))],
)
def test_answers_read_as_the_original_servers_do(vector: str, values: range, shape: tuple[int, ...]) -> None:
    """To the client both are the same."""
    ours = write_batches([(np.array(values, np.float32), shape)])
    assert as_client(ours) == as_client(VECTORS[vector].encode())
    schema = pa.ipc.open_stream(b64decode(ours)).schema
    assert schema == pa.ipc.open_stream(b64decode(VECTORS[vector])).schema


def test_every_output_is_a_batch_of_its_own() -> None:
    """Of other sizes."""
    value = write_batches([(np.ones(2, np.float32), (2,)), (np.zeros(4, np.float32), (2, 2))])
    assert as_client(value) == [([2], [1, 1]), ([2, 2], [0, 0, 0, 0])]


@given(
    st.lists(st.integers(0, 3), max_size=3), st.booleans(), st.permutations([name for name, _ in CHILDREN]),
    st.floats(width=32, allow_nan=False),
)  # fmt: skip
def test_a_tensor_arrives_whatever_the_writer_is_like(
    shape: list[int], legacy: bool, order: list[str], first: float
) -> None:
    """Children in any order, modern and former framing."""
    values = [first + at for at in range(int(np.prod(shape)))]
    column = tensor(tuple(order), data=values, shape=shape)
    (found,) = read_columns(stream(x=column, legacy=legacy))
    assert isinstance(found, Dense)
    assert found.array.shape == tuple(shape)
    assert found.array.ravel().tolist() == np.array(values, np.float32).tolist()


def test_scala_writes_texts_and_scalars_in_other_columns() -> None:
    """A list of texts in the child `data`; numbers and booleans as plain columns."""
    words, number, yes = read_columns(stream(
        w=tensor(data=["a", "b"], shape=[2]), n=pa.array([7, None, None, None], pa.int32()),
        b=pa.array([True, None, None, None]),
    ))  # fmt: skip
    assert isinstance(words, Dense)
    assert isinstance(number, Dense)
    assert isinstance(yes, Dense)
    assert words.array.tolist() == ["a", "b"]
    assert (number.array.shape, number.array.item(), yes.array.item()) == ((), 7, True)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no Arrow stream"),
        (b"!!!", "not base64"),
        (b64encode(b"ARROW1\0\0"), "Arrow file"),
        (b64encode(b"hello, this is no stream"), "no Arrow stream"),
        (VECTORS["dense 2x2"].encode()[:1200], "no Arrow stream"),
        (stream(x=pa.array([b"a"])), "column of binary"),
        (stream(x=pa.array(["a", "b"])), "2 texts"),
        (stream(x=pa.array([{"data": [1.0]}])), "without 'shape'"),
        (stream(x=pa.array([{"data": 1.0, "shape": [1]}])), "no list"),
        (stream(x=pa.array([{"data": [None, 1.0], "shape": [2]}])), "nulls"),
        (stream(x=pa.array([{"data": [1.0], "shape": [2]}])), "but 1 values"),
        (stream(x=tensor(data=[1.0] * 5000, shape=[5000]), compression="zstd"), "compressed"),
        (stream(x=tensor(data=[1.0] * 5000, shape=[5000]), compression="lz4"), "compressed"),
        (stream(x=pa.array(["a"]).dictionary_encode(), compression="zstd"), "dictionaries"),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(body: bytes, sentence: str) -> None:
    """As `InvalidRequest`."""
    with pytest.raises(InvalidRequest) as refused:
        read_columns(body)
    assert sentence in refused.value.message


def test_a_stream_without_a_batch_is_refused() -> None:
    """It ends after its schema."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("x", pa.int32())])):
        pass
    with pytest.raises(InvalidRequest, match="without a record batch"):
        read_columns(b64encode(sink.getvalue()))


@given(st.sampled_from([name for name in VECTORS if "result" not in name]), st.data())
def test_no_garbage_does_more_than_be_refused(vector: str, data: st.DataObject) -> None:
    """Bytes of a real record changed, cut or repeated: columns, or a `ScurryError`."""
    raw = bytearray(b64decode(VECTORS[vector]))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        end = data.draw(st.sampled_from([None, len(raw) // 2, len(raw) - 4]))
        columns = read_columns(b64encode(raw[:end]))
    except ScurryError:
        return
    assert all(isinstance(column, Dense | Sparse | Text) for column in columns)


def test_without_pyarrow_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "pyarrow.ipc", None)
    with pytest.raises(ScurryError, match=r"scurry\[cluster-serving\]"):
        read_columns(b"")
