"""TensorFlow Serving's requests: rows, columns, examples, and what none of them is."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from scurry.protocols import tf_serving
from scurry.protocols.tf_serving import Taken, decode_examples, decode_predict
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_array

X = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
TAG = {"name": "tag", "datatype": "BYTES", "shape": [-1]}
ONE, TWO, NONE = Taken([X]), Taken([TAG, X]), Taken([])


def sent(**document: Any) -> bytes:
    """A body; NaN and infinity are bare words."""
    return json.dumps(document).encode()


def arrays(request: InferRequest) -> dict[str, Any]:
    """Types and values of the inputs."""
    return {tensor.name: (tensor.datatype, to_array(tensor).tolist()) for tensor in request.inputs}


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ({"instances": [[1, 2], [3, 4.5]]}, True),
        ({"instances": [{"x": [1, 2]}, {"x": [3, 4.5]}]}, True),
        ({"inputs": [[1, 2], [3, 4.5]]}, False),
        ({"inputs": {"x": [[1, 2], [3, 4.5]]}, "signature_name": "serving_default"}, False),
        ({"inputs": {"x": [[1, 2], [3, 4.5]]}, "signature_name": ""}, False),
    ],
)
def test_one_input_in_every_form(document: dict[str, Any], rows: bool) -> None:
    """Named or not, in rows or in columns, it is the same tensor of the model's own type."""
    call = decode_predict(sent(**document), ONE)
    assert arrays(call.request) == {"x": ("FP32", [[1, 2], [3, 4.5]])}
    assert call.rows == rows


def test_several_inputs() -> None:
    """In rows each instance names them all; columns need not have the same length."""
    rows = decode_predict(sent(instances=[{"x": [1, 2], "tag": "a"}, {"tag": {"b64": "/w=="}, "x": [3, 4]}]), TWO)
    both = {"x": ("FP32", [[1, 2], [3, 4]]), "tag": ("BYTES", [b"a", b"\xff"])}
    assert arrays(rows.request) == both
    columns = decode_predict(sent(inputs={"x": [[1, 2]], "tag": ["a", "b", "c"]}), TWO)
    assert arrays(columns.request) == {"x": ("FP32", [[1, 2]]), "tag": ("BYTES", [b"a", b"b", b"c"])}


def test_a_scalar_and_an_empty_list() -> None:
    """A value that is no list has no dimension; lists without elements have their sizes."""
    assert arrays(decode_predict(sent(inputs=5), ONE).request) == {"x": ("FP32", 5.0)}
    assert list(decode_predict(sent(instances=[[], []]), ONE).request.inputs[0].shape) == [2, 0]
    text = decode_predict(sent(inputs={"b64": "AAE="}), Taken([TAG]))
    assert arrays(text.request) == {"tag": ("BYTES", b"\x00\x01")}


def test_what_is_not_finite() -> None:
    """Bare words, as Python's json writes them, or texts; a word within a text is only a text."""
    body = b'{"instances": [[NaN, -Infinity], [Infinity, "NaN"]], "signature_name": ""}'
    held = to_array(decode_predict(body, ONE).request.inputs[0])
    assert np.array_equal(held, np.array([[np.nan, -np.inf], [np.inf, np.nan]], np.float32), equal_nan=True)
    text = rb'{"instances": [{"tag": "a \" NaN \\", "x": [NaN, 1]}]}'
    assert arrays(decode_predict(text, TWO).request)["tag"] == ("BYTES", [b'a " NaN \\'])


def test_a_model_that_does_not_say_what_it_takes() -> None:
    """Types are those that TensorFlow makes of plain lists; the inputs must be named."""
    request = decode_predict(sent(inputs={"a": [1, 2], "b": [1, 2.5], "c": ["t"], "d": [True]}), NONE).request
    types = {"a": "INT64", "b": "FP32", "c": "BYTES", "d": "BOOL"}
    assert {tensor.name: tensor.datatype for tensor in request.inputs} == types
    with pytest.raises(InvalidRequest, match="must name each input"):
        decode_predict(sent(inputs=[1]), NONE)


def test_parameters_are_those_of_the_other_door() -> None:
    """So that a step of a sequence can be asked for here as well."""
    request = decode_predict(sent(instances=[[1, 2]], parameters={"sequence_id": 7}), ONE).request
    assert request.parameters["sequence_id"].int_value == 7


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "bad_request", "either `instances`"),
    ({"instances": [[1, 2]], "inputs": [[1, 2]]}, "bad_request", "not both"),
    ({"instances": []}, "bad_request", "`instances`"),
    ({"instances": 3}, "bad_request", "`instances`"),
    ({"instances": None}, "bad_request", "`instances`"),
    ({"instances": [{}]}, "bad_request", r"`instances\[0\]`"),
    ({"instances": [{"x": [1, 2]}, [1, 2]]}, "bad_request", "beside plain values"),
    ({"instances": [{"x": [1, 2]}, {"y": [1, 2]}]}, "bad_request", r"`instances\[1\]`"),
    ({"instances": [{"x": [1, 2]}, {"x": [1]}]}, "input_shape", "'x'"),
    ({"instances": [[1, 2], [1]]}, "input_shape", "'x'"),
    ({"instances": [[1, 2], 1]}, "input_shape", "'x'"),
    ({"instances": [["a", 2]]}, "input_datatype", "'x'"),
    ({"instances": [[1e39, 2]]}, "input_datatype", "'x'"),
    ({"instances": [[True, 2]]}, "input_datatype", "'x'"),
    ({"instances": [[None, 2]]}, "input_value", "'x'"),
    ({"instances": [[{"b64": "AA=="}, 2]]}, "input_datatype", "'x'"),
    ({"instances": [{"z": [1, 2]}]}, "input_name", "'z'"),
    ({"inputs": {"z": [1, 2]}}, "input_name", "'z'"),
    ({"inputs": {}}, "bad_request", "`inputs`"),
    ({"inputs": {"": [1]}}, "input_name", "''"),
    ({"instances": [[1, 2]], "signature_name": "other"}, "bad_request", "`signature_name` is 'other'"),
    ({"instances": [[1, 2]], "signature_name": 3}, "bad_request", "`signature_name`"),
    ({"instance": [[1, 2]]}, "bad_request", "'instance'"),
    ({"instances": [[1, 2]], "parameters": {"p": []}}, "bad_request", "'p'"),
]


@pytest.mark.parametrize(("document", "code", "names"), WRONG)
def test_what_is_wrong_is_named(document: dict[str, Any], code: str, names: str) -> None:
    """By its field or its input."""
    with pytest.raises(InvalidRequest, match=names) as caught:
        decode_predict(sent(**document), ONE)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"instances": [1e999, NaN]}', b'{"inputs": [Infinity', b'\xff{"inputs": 1}',
     b'{"inputs": "\\ud800"}', b'{"inputs": "\\ud800", "x": NaN}', b'{"inputs": [1NaN]}', b'{"inputs": [--Infinity]}',
     b'{"inputs": ' + b"[" * 100_000 + b"NaN", b'{"x": "' + b'\\"' * 50_000 + b"NaN"],
)  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """In one sentence, also with the words that are let through, and in time that grows with the body only."""
    with pytest.raises(InvalidRequest) as caught:
        decode_predict(body, ONE)
    assert caught.value.code == "bad_request"


def test_brackets_beyond_the_limit_are_refused() -> None:
    """A tensor has no more dimensions than a numpy array."""
    with pytest.raises(InvalidRequest, match="dimensions"):
        decode_predict(b'{"inputs": %b1%b}' % (b"[" * 100, b"]" * 100), ONE)


def test_examples_have_the_shape_of_the_model() -> None:
    """A feature is a value or a flat list; what is in `context` belongs to every example."""
    deep = {"name": "x", "datatype": "FP32", "shape": [-1, 2, 2]}
    taken = Taken([deep, TAG, {"name": "w", "datatype": "INT64", "shape": [-1, -1]}])
    body = sent(examples=[{"x": [1, 2, 3, 4], "tag": "a"}, {"x": [5, 6, 7, 8], "tag": ["b"]}], context={"w": [7]})
    found = arrays(decode_examples(body, taken))
    assert found["x"] == ("FP32", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert found["tag"] == ("BYTES", [b"a", b"b"])
    assert found["w"] == ("INT64", [[7], [7]])
    assert arrays(decode_examples(sent(examples=[{"a": 1, "b": [1, 2]}]), NONE)) == {
        "a": ("INT64", [1]),
        "b": ("INT64", [[1, 2]]),
    }


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({}, "`examples`"),
        ({"examples": [1]}, "`examples`"),
        ({"examples": [{"x": [1, 2]}], "context": []}, "`context`"),
        ({"examples": [{"x": [1, 2]}], "context": {"x": [1, 2]}}, "'x' is in `context`"),
        ({"examples": [{"x": [1, 2]}, {}]}, r"`examples\[1\]`"),
        ({"examples": [{"x": [1, 2, 3]}]}, "3 values"),
        ({"examples": [{"x": [[1, 2]]}]}, "flat list"),
        ({"examples": [{"x": [1]}, {"x": [1, 2]}]}, "different length"),
        ({"examples": [{"z": 1}]}, "'z'"),
        ({"instances": [1]}, "'instances'"),
    ],
)
def test_examples_that_are_none(document: dict[str, Any], names: str) -> None:
    """Named by field or feature."""
    with pytest.raises(InvalidRequest, match=names):
        decode_examples(sent(**document), ONE)


def test_the_words_are_looked_for_outside_of_texts_only() -> None:
    """Whatever a text holds, it comes out as it went in."""
    for text in ("NaN", 'a"NaN', "\\", 'x\\"-Infinity', "", "\\\\"):
        assert tf_serving.load(sent(a=text, b=float("nan"))) == {"a": text, "b": "NaN"}
