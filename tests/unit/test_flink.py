"""Columns of a statement become a model's inputs, its output a value for each row."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tritonclient.http import aio
from tritonclient.utils import InferenceServerException

from scurry.flink import Asking, arranged, chosen, listed, present

FP32 = {"name": "x", "datatype": "FP32", "shape": [-1, 4]}
ONE = {"name": "n", "datatype": "INT64", "shape": [-1]}
TEXT = {"name": "t", "datatype": "BYTES", "shape": [-1, 1]}


def test_several_numbers_are_a_row_of_the_only_input() -> None:
    """Or each column is an input of its own."""
    columns = [np.arange(3, dtype=np.float64) + at for at in range(4)]
    (x,) = arranged("m", columns, [FP32])
    assert (x.dtype, x.shape, x[1].tolist()) == (np.float32, (3, 4), [1, 2, 3, 4])
    n, t = arranged("m", [np.array([1.0, 2.0]), np.array(["a", "b"], object)], [ONE, TEXT])
    assert (n.dtype, n.tolist(), t.shape, t.ravel().tolist()) == (np.int64, [1, 2], (2, 1), ["a", "b"])


def test_a_column_of_arrays_is_stacked() -> None:
    """If all are of one length."""
    rows = np.empty(2, object)
    rows[:] = [np.float32([1, 2, 3, 4]), [5, 6, 7, 8]]
    (x,) = arranged("m", [rows], [FP32])
    assert x.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    rows[1] = [5]
    with pytest.raises(RuntimeError, match="Input 'x': the rows of its column are of different lengths"):
        arranged("m", [rows], [FP32])


@pytest.mark.parametrize(
    ("columns", "inputs", "sentence"),
    [
        ([np.ones(2)] * 3, [ONE, TEXT], r"takes 2 inputs \['n', 't'\]; there are 3 columns"),
        ([np.array([1.5])], [ONE], "'n' is INT64; its column has values that are none"),
        ([np.array(["a"], object)], [ONE], "'n' is INT64; its column cannot be made into that"),
        ([np.ones(1)], [{**ONE, "datatype": "BF16"}], "'n' is BF16, which no column can be made into"),
    ],
)
def test_what_does_not_fit_is_told(columns: list[Any], inputs: list[Any], sentence: str) -> None:
    """With the input's name."""
    with pytest.raises(RuntimeError, match=sentence):
        arranged("m", columns, inputs)


def test_rows_with_a_null_are_left_out() -> None:
    """Flink makes NaN of a NULL number, None of all else."""
    columns = [np.array([1.0, np.nan, 3.0]), np.array(["a", "b", None], object), np.array([1, 2, 3])]
    assert present(columns).tolist() == [True, False, False]
    assert present([]).tolist() == []


def test_a_row_of_an_output_is_a_number_a_text_or_an_array() -> None:
    """By what a row has."""
    assert listed(np.array([1, 2])) == [1, 2]
    assert listed(np.array([[1], [2]])) == [1, 2]
    assert listed(np.array([[b"cat"]], object)) == ["cat"]
    assert [each.tolist() for each in listed(np.ones((2, 1, 2)))] == [[1, 1], [1, 1]]


def test_the_output_is_named_or_the_only_one() -> None:
    """Nobody guesses."""
    assert (chosen("m", ["y"], ""), chosen("m", ["y", "z"], "z")) == ("y", "z")
    with pytest.raises(RuntimeError, match=r"has outputs \['y', 'z'\]: name one"):
        chosen("m", ["y", "z"], "")
    with pytest.raises(RuntimeError, match="has no output 'w'"):
        chosen("m", ["y"], "w")


class Gateway:
    """Answers twice the input; refuses a few times first, and never asks for more than two at once."""

    def __init__(self) -> None:
        self.refusals, self.sizes, self.at_once, self.most = 2, [], 0, 0

    async def get_model_metadata(self, model: str, version: str) -> dict[str, Any]:
        assert (model, version) == ("m", "7")
        return {"inputs": [FP32 | {"shape": [-1, 1]}], "outputs": [{"name": "y"}]}

    async def infer(self, model: str, inputs: list[Any], version: str, outputs: list[Any]) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise InferenceServerException("busy", "503")
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        array = np.frombuffer(inputs[0]._get_binary_data(), np.float32).reshape(inputs[0].shape())
        self.sizes.append(len(array))
        if array.max() > 100:
            raise InferenceServerException("Input 'x' is too large.", "400")
        return SimpleNamespace(as_numpy=lambda _: array * 2)

    async def close(self) -> None:
        self.refusals = -1


def test_rows_are_asked_in_requests_several_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order; an overloaded gateway is asked again; a refusal is told."""
    gateway = Gateway()
    monkeypatch.setattr(aio, "InferenceServerClient", lambda address, ssl: gateway)
    asking = Asking("m", url="http://h:1", version="7", output="", rows=4, in_flight=2, timeout_s=30)
    column = np.arange(10, dtype=np.float64)
    column[3] = np.nan
    assert asking.answer([column]) == [0, 2, 4, None, 8, 10, 12, 14, 16, 18]
    assert (sorted(gateway.sizes), gateway.most) == ([1, 4, 4], 2)
    assert asking.answer([np.full(2, np.nan)]) == [None, None]
    with pytest.raises(RuntimeError, match=r"Model 'm': Input 'x' is too large\."):
        asking.answer([np.array([101.0])])
    assert repr(asking) == "<Asking m at h:1>"
    asking.close()
    assert gateway.refusals == -1


def test_it_needs_no_pyflink_to_be_imported() -> None:
    """Nor anything of protobuf's, which PyFlink has in another version."""
    assert "pyflink" not in sys.modules
