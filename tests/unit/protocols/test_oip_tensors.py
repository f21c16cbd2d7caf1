"""One tensor as a JSON object, there and back."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.protocols.oip_tensors import add_tensor, output_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_array, to_tensor


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


@given(st.lists(st.binary(max_size=40) | st.text(max_size=10), max_size=5))
def test_bytes_that_are_no_text_may_be_an_object_with_their_base64(elements: list[bytes | str]) -> None:
    """As TensorFlow Serving has them, beside texts as they are."""
    data = [{"b64": base64.b64encode(one).decode()} if isinstance(one, bytes) else one for one in elements]
    request = InferRequest()
    add_tensor(request, "x", {"shape": [len(data)], "datatype": "BYTES", "data": data})
    assert to_array(request.inputs[0]).tolist() == [one if isinstance(one, bytes) else one.encode() for one in elements]


@pytest.mark.parametrize(
    ("element", "code"),
    [({}, "input_datatype"), ({"b64": 1}, "input_datatype"), ({"b64": "", "x": 1}, "input_datatype"),
     ({"b64": "YQ"}, "input_value"), ({"b64": "ä"}, "input_value")],
)  # fmt: skip
def test_an_object_that_is_no_base64_is_refused(element: dict, code: str) -> None:
    """With the tensor's name; numbers have no such form."""
    for datatype, expected in (("BYTES", code), ("FP32", "input_datatype")):
        with pytest.raises(InvalidRequest, match="Tensor 'x' has") as caught:
            add_tensor(InferRequest(), "x", {"shape": [1], "datatype": datatype, "data": [element]})
        assert caught.value.code == expected
