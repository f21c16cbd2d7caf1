"""One tensor as a JSON object, there and back."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.protocols.oip_tensors import add_tensor, output_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_tensor


def test_an_output_is_an_input_of_the_next_model() -> None:
    """What one writes the other reads."""
    tensor = to_tensor("y", np.array([[1, 2], [3, 4]], np.int16))
    told = output_of(tensor)
    assert (told["name"], told["datatype"], told["shape"]) == ("y", "INT16", [2, 2])
    request = InferRequest()
    add_tensor(request, "y", told | {"data": told["data"].tolist()})
    assert request.inputs[0] == tensor


def test_bytes_in_data_are_taken_as_they_are() -> None:
    """Triton's binary extension puts a view over the body there."""
    raw = np.array([1.5, 2.5], np.float32).tobytes()
    entry = {"shape": [2], "datatype": "FP32", "data": memoryview(raw)}
    request = InferRequest()
    add_tensor(request, "x", entry)
    assert request.inputs[0].data == raw
    with pytest.raises(InvalidRequest, match=r"\[2\] but carries 4 bytes") as caught:
        add_tensor(request, "x", entry | {"data": raw[:4]})
    assert caught.value.code == "input_shape"
