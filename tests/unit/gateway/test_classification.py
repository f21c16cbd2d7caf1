"""The largest classes of an output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scurry.gateway.classification import MOST, classify, labels_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import Tensor
from scurry.wire.tensors import BF16, to_array, to_tensor

ROWS = np.array([[0.1, 0.7, 0.2], [3, 1, 2]], np.float32)


def texts(tensor: Tensor) -> Any:
    """What a tensor of texts says."""
    assert (tensor.name, tensor.datatype) == ("y", "BYTES")
    return to_array(tensor).tolist()


def test_each_row_has_its_largest() -> None:
    """With six digits behind the point, as C++ writes them."""
    told = classify(to_tensor("y", ROWS), 2, ["cat", "dog"])
    assert list(told.shape) == [2, 2]
    assert texts(told) == [[b"0.700000:1:dog", b"0.200000:2"], [b"3.000000:0:cat", b"2.000000:2"]]


def test_without_a_batch_all_elements_are_one_row() -> None:
    """However many dimensions there are; there are no more classes than elements."""
    told = classify(to_tensor("y", ROWS.reshape(2, 1, 3)), 9, batched=False)
    assert list(told.shape) == [6]
    assert texts(told)[:2] == [b"3.000000:3", b"2.000000:5"]


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float16, np.float64, BF16])
def test_every_number_will_do(dtype: Any) -> None:
    """Whole ones have no point; of equal ones the first comes first."""
    told = texts(classify(to_tensor("y", np.array([[4, 9, 9]], dtype)), 2))
    whole = np.dtype(dtype).kind in "iu"
    assert told == [[b"9:1", b"9:2"] if whole else [b"9.000000:1", b"9.000000:2"]]


def test_what_is_no_number_comes_last() -> None:
    """NaN is not the largest."""
    assert texts(classify(to_tensor("y", np.array([[np.nan, 1.0]])), 2)) == [[b"1.000000:1", b"nan:0"]]


@pytest.mark.parametrize(("shape", "wanted"), [((0, 3), [0, 2]), ((2, 0), [2, 0])])
def test_nothing_has_no_classes(shape: tuple[int, ...], wanted: list[int]) -> None:
    """An empty batch, or rows without elements."""
    assert list(classify(to_tensor("y", np.zeros(shape, np.float32)), 2).shape) == wanted


@pytest.mark.parametrize("array", [np.array([[b"a"]], object), np.array([[True]]), np.zeros((1, MOST + 1), np.int8)])
def test_what_has_no_classes_is_refused(array: Any) -> None:
    """Texts, truth values, and more than anybody reads."""
    with pytest.raises(InvalidRequest, match="Output 'y'"):
        classify(to_tensor("y", array), 1)


def test_labels_are_those_of_the_registration() -> None:
    """Of the output they were given for; else what its worker read of a file."""
    steps = [{"output": "z", "labels": ["no"]}, {"output": "y", "labels": ["cat", "dog"]}]
    record: dict[str, Any] = {"versions": [{"version": "1", "state": "ready", "config": {"postprocessing": steps}}]}
    assert labels_of(record, "m", "", "y") == ["cat", "dog"]
    assert labels_of(record, "m", "", "x") == []
    record["versions"][0]["config"] = {"postprocessing": [{"labels": "labels.txt"}]}
    assert labels_of(record, "m", "1", "y") == []
    record["versions"][0]["config"] = {"labels": ["cat"]}
    assert labels_of(record, "m", "", "anything") == ["cat"]
    record["versions"][0] |= {"config": {}, "signature": {"outputs": [{"name": "x"}, {"name": "y", "labels": ["dog"]}]}}
    assert [labels_of(record, "m", "", output) for output in "xyz"] == [[], ["dog"], []]
