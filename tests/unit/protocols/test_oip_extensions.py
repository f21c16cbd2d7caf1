"""What Triton's parameters of a tensor ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scurry.protocols.oip_extensions import Place, classes_of, place_of, raw_request
from scurry.wire.errors import InvalidRequest
from scurry.wire.tensors import to_array

X = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}


def test_a_place_is_read_and_told() -> None:
    """Triton leaves an offset of 0 out."""
    told = {"shared_memory_region": "r", "shared_memory_byte_size": 8, "shared_memory_offset": 4}
    assert place_of(told, "Tensor 'x'") == Place("r", 4, 8)
    assert place_of({"binary_data": True}, "Tensor 'x'") is None
    assert Place("r", 4, 8).told(6) == told | {"shared_memory_byte_size": 6}
    assert Place("r", 0, 8).told(8) == {"shared_memory_region": "r", "shared_memory_byte_size": 8}


@pytest.mark.parametrize(
    "told",
    [
        {"shared_memory_region": 7, "shared_memory_byte_size": 8},
        {"shared_memory_region": "", "shared_memory_byte_size": 8},
        {"shared_memory_region": "r"},
        {"shared_memory_region": "r", "shared_memory_byte_size": -1},
        {"shared_memory_region": "r", "shared_memory_byte_size": True},
        {"shared_memory_region": "r", "shared_memory_byte_size": 8, "shared_memory_offset": "4"},
    ],
)
def test_what_is_no_place_is_refused(told: dict[str, Any]) -> None:
    """By the tensor's name and the parameter's."""
    with pytest.raises(InvalidRequest, match=r"Tensor 'x' needs .*shared_memory"):
        place_of(told, "Tensor 'x'")


def test_classes_are_a_whole_number() -> None:
    """None of them is no wish."""
    assert (classes_of({}, "y"), classes_of({"classification": 0}, "y"), classes_of({"classification": 3}, "y")) == (
        0, 0, 3,
    )  # fmt: skip
    for count in (-1, "3", 1.5, True):
        with pytest.raises(InvalidRequest, match="'classification'"):
            classes_of({"classification": count}, "Output 'y'")


@pytest.mark.parametrize(
    ("shape", "batched", "count", "wanted"),
    [
        ([-1, 2], True, 6, [3, 2]),
        ([-1, 2], False, 2, [1, 2]),
        ([3, 2], False, 6, [3, 2]),
        ([-1, -1], True, 6, [1, 6]),
        ([], False, 1, []),
        ([-1, 2], True, 0, [0, 2]),
    ],
)
def test_the_body_is_the_only_input(shape: list[int], batched: bool, count: int, wanted: list[int]) -> None:
    """What its shape leaves open the number of elements tells."""
    values = np.arange(count, dtype=np.float32)
    request = raw_request(values.tobytes(), [X | {"shape": shape}], batched=batched)
    (tensor,) = request.inputs
    assert (tensor.name, list(tensor.shape)) == ("x", wanted)
    np.testing.assert_array_equal(to_array(tensor).reshape(-1), values)


def test_a_text_is_one_element() -> None:
    """Its length is put before it."""
    request = raw_request(b"\xffabc", [X | {"datatype": "BYTES", "shape": [-1, 1]}], batched=True)
    assert to_array(request.inputs[0]).tolist() == [[b"\xffabc"]]


@pytest.mark.parametrize(
    ("body", "inputs", "code"),
    [
        (b"", [], "bad_request"),
        (b"", [X, X], "bad_request"),
        (b"12345678", [X | {"shape": [3]}], "input_shape"),
        (b"123456", [X], "input_shape"),
        (b"12345678", [X | {"shape": [-1, -1]}], "input_shape"),
        (b"1234", [X | {"shape": [-1, 2]}], "input_shape"),
        (b"1234", [X | {"shape": [-1, 0]}], "input_shape"),
        (b"abc", [X | {"datatype": "BYTES", "shape": [2]}], "input_shape"),
    ],
)
def test_a_body_that_cannot_be_the_input_is_refused(body: bytes, inputs: list[dict[str, Any]], code: str) -> None:
    """Of more inputs, or of another size."""
    with pytest.raises(InvalidRequest) as refused:
        raw_request(body, inputs, batched=False)
    assert refused.value.code == code
