"""Arrays in the model's own data types, where no value is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scurry.client.arrays import fit, is_unsure, pack, unpack
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import to_array, to_tensor


@pytest.mark.parametrize(
    ("value", "datatype", "cast"),
    [
        ([0.1, 2.5], "FP32", True),
        ([1e39], "FP32", False),
        ([float("inf"), float("nan")], "FP32", True),
        ([70000.0], "FP16", False),
        ([1, 2], "FP32", True),
        ([2**24 + 1], "FP32", False),
        ([2**63 - 1], "FP64", False),
        ([1.0, -2.0], "INT32", True),
        ([1.5], "INT32", False),
        ([float("nan")], "INT32", False),
        ([255], "UINT8", True),
        ([256], "UINT8", False),
        ([-1], "UINT64", False),
        ([1.0], "BOOL", False),
        ([[1, 2], [3, 4]], "INT8", True),
        (7, "FP16", True),
        ([], "INT64", True),
        ([1.0], "BYTES", False),
        ([1.0], "", False),
    ],
)
def test_a_number_is_cast_where_it_stays_what_it_is(value: Any, datatype: str, cast: bool) -> None:
    """Else the array goes as it is, and the worker says what is wrong."""
    array = np.asarray(value)
    request, _ = pack({"x": value}, [], str, {"x": datatype} if datatype else {})
    sent = to_array(request.inputs[0])
    assert (request.inputs[0].datatype == datatype) is cast
    np.testing.assert_allclose(sent.astype(np.float64), array.astype(np.float64), rtol=1e-6)


@pytest.mark.parametrize("value", [np.float32([1]), np.int32([1]), np.array(["a"]), np.array([True])])
def test_a_type_that_was_chosen_is_kept(value: Any) -> None:
    """Only what has numpy's default type was perhaps not meant so."""
    assert fit(value, "FP64") is value
    assert not is_unsure({"x": value})


@pytest.mark.parametrize("value", [[1.0], 3, np.zeros(2), np.zeros(2, np.int64)])
def test_what_has_a_default_type_is_unsure(value: Any) -> None:
    """The model is asked for its own."""
    assert is_unsure({"x": np.float32([1]), "y": value})


def test_outputs_come_under_their_names() -> None:
    """As arrays."""
    reply = InferReply(outputs=[to_tensor("y", np.int8([1, 2])), to_tensor("z", np.array([b"t"], object))])
    assert {name: array.tolist() for name, array in unpack(reply).items()} == {"y": [1, 2], "z": [b"t"]}


@pytest.mark.parametrize(
    ("value", "code", "names"),
    [
        ([[1], [1, 2]], "input_shape", "'x' has lists of different length"),
        ([object()], "input_datatype", "'x' has an element of type object"),
        (None, "input_datatype", "'x' has an element of type NoneType"),
        ([1, None], "input_datatype", "'x' has an element of type int"),
        ([2**80], "input_datatype", "'x' has an element of type int"),
        (np.zeros(2, complex), "input_datatype", "'x': Arrays of dtype complex128"),
        (np.zeros(2, "M8[s]"), "input_datatype", "'x': Arrays of dtype datetime64"),
    ],
)
def test_what_is_no_tensor_is_refused_by_its_name(value: Any, code: str, names: str) -> None:
    """And never sent as the text that Python shows of it."""
    with pytest.raises(InvalidRequest) as caught:
        pack({"x": value}, (), lambda name, _: name, {})
    assert (caught.value.code, names in caught.value.message) == (code, True)


@pytest.mark.parametrize("value", [["a", "ä"], [b"\xff"], np.array(["a", b"b"], object), np.array([], object)])
def test_texts_and_bytes_are_sent(value: Any) -> None:
    """As BYTES."""
    request, _ = pack({"x": value}, (), lambda name, _: name, {})
    assert request.inputs[0].datatype == "BYTES"
