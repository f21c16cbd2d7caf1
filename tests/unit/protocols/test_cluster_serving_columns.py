"""JSON instances and sparse tensors as columns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.protocols.cluster_serving_columns import MOST_ELEMENTS, Dense, Sparse, Text, dense, read_instances, sparse
from scurry.wire.errors import InvalidRequest

SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner))


def read(**columns: object) -> list[Dense | Sparse | Text]:
    """The columns of one instance."""
    return read_instances(json.dumps({"instances": [columns, {"second": 1}]}).encode())


def test_the_first_instance_is_read_with_every_kind_of_value() -> None:
    """Numbers, lists of any depth, texts, pictures and sparse tensors whose indices stand in rows."""
    number, rows, text, words, picture, few = read(
        i=3, t=[[1, 2], [3, 4]], s="a|b", w=["a", "b"], p={"b64": "/9j/"},
        f={"shape": [2, 3], "data": [5, 6], "indices": [[0, 1], [1, 2]]},
    )  # fmt: skip
    assert isinstance(number, Dense)
    assert isinstance(rows, Dense)
    assert isinstance(words, Dense)
    assert isinstance(few, Sparse)
    assert (number.array.shape, number.array.item()) == ((), 3)
    assert rows.array.tolist() == [[1, 2], [3, 4]]
    assert words.array.tolist() == ["a", "b"]
    assert (text, picture) == (Text("s", "a|b"), Text("p", "/9j/"))
    assert few.dense().tolist() == [[0, 5, 0], [0, 0, 6]]


@pytest.mark.parametrize(
    ("indices", "stated", "found"),
    [
        ([0, 1, 1, 2, 0, 2], [2, 3], [[0, 2], [1, 0], [1, 2]]),  # a row for each dimension
        ([0, 2, 1, 0, 1, 2], [3, 2], [[0, 2], [1, 0], [1, 2]]),  # a row for each value
    ],
)
def test_indices_stand_in_rows_or_in_columns(indices: list[int], stated: list[int], found: list[list[int]]) -> None:
    """What tells them apart is the shape that comes with them."""
    one = sparse("x", *map(np.array, (indices, stated, [7.0, 8.0, 9.0], [2, 3])))
    assert isinstance(one, Sparse)
    assert one.indices.tolist() == found
    assert one.dense()[1].tolist() == [8, 0, 9]


def test_where_both_orders_would_do_the_python_clients_holds_on_a_stream_and_rows_in_json() -> None:
    """Two values of two dimensions."""
    one = sparse("x", *map(np.array, ([0, 1, 1, 2], [2, 2], [7.0, 8.0], [2, 3])))
    assert one.indices.tolist() == [[0, 1], [1, 2]]
    (same,) = read(x={"shape": [2, 3], "data": [7, 8], "indices": [[0, 1], [1, 2]]})
    assert isinstance(same, Sparse)
    assert same.dense().tolist() == [[0, 7, 0], [0, 0, 8]]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ([[1, 2], [3]], "rows of one length"),
        (None, "must be a number"),
        ({"a": 1}, "neither b64 nor shape"),
        ({"shape": [2], "data": [1], "indices": [[5]]}, "index outside of [2]"),
        ({"shape": [2], "data": [1], "indices": [[-1]]}, "index outside of [2]"),
        ({"shape": [2], "data": [1, 2], "indices": [[0]]}, "a row of 1 indices for each of its 2 values"),
        ({"shape": [-2], "data": [1], "indices": [[0]]}, "none below 0"),
        ({"shape": "2", "data": [1], "indices": [["a"]]}, "not lists of numbers"),
    ],
)
def test_what_is_no_tensor_is_refused_by_name(column: object, sentence: str) -> None:
    """With a sentence."""
    with pytest.raises(InvalidRequest, match="Input 'x'") as refused:
        read(x=column)
    assert sentence in refused.value.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"instances": {}}', b'{"instances": []}', b'{"instances": [1]}'])
def test_a_body_without_an_instance_is_refused(body: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(InvalidRequest):
        read_instances(body)


def test_a_small_record_does_not_fill_the_memory() -> None:
    """A sparse tensor says how large it is, and a dense one what it holds."""
    vast = sparse("x", *map(np.array, ([0], [1, 1], [1.0], [MOST_ELEMENTS + 1])))
    with pytest.raises(InvalidRequest, match="at most"):
        vast.dense()
    with pytest.raises(InvalidRequest, match="but 1 values"):
        dense("x", np.zeros(1), np.array([2**40]))


@given(JSON)
def test_any_json_is_columns_or_refused(value: object) -> None:
    """Never anything else."""
    try:
        columns = read_instances(json.dumps({"instances": [{"x": value}]}).encode())
    except InvalidRequest:
        return
    assert [column.name for column in columns] == ["x"]
