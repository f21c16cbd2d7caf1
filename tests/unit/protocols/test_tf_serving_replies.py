"""TensorFlow Serving's answers: rows, columns, classes, values."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from scurry.protocols.tf_serving_replies import encode_classes, encode_predictions, encode_values
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import BF16, DTYPES, to_tensor

NUMBERS = np.array([[0.1, 2.0], [-3.5, 4.0]], np.float32)
TEXTS = np.array([[b"a"], ["ß".encode()]], dtype=object)


def reply(**outputs: Any) -> InferReply:
    """A model's answer."""
    return InferReply(outputs=[to_tensor(name, array) for name, array in outputs.items()])


def test_one_output_has_no_name() -> None:
    """In rows and in columns; floats are as short as they can be, and whole ones stay floats."""
    assert encode_predictions(reply(y=NUMBERS), rows=True) == b'{"predictions":[[0.1,2.0],[-3.5,4.0]]}'
    assert encode_predictions(reply(y=NUMBERS), rows=False) == b'{"outputs":[[0.1,2.0],[-3.5,4.0]]}'


def test_several_outputs_have_names() -> None:
    """An object for each row, or one of columns."""
    both = reply(y=NUMBERS, t=TEXTS)
    rows = [{"y": [0.1, 2.0], "t": ["a"]}, {"y": [-3.5, 4.0], "t": ["ß"]}]
    assert json.loads(encode_predictions(both, rows=True)) == {"predictions": rows}
    columns = {"y": [[0.1, 2.0], [-3.5, 4.0]], "t": [["a"], ["ß"]]}
    assert json.loads(encode_predictions(both, rows=False)) == {"outputs": columns}


def test_what_is_not_finite_is_a_bare_word() -> None:
    """At its place, in any shape and beside any other output; Python's json reads it."""
    odd = np.array([[1, np.nan], [np.inf, -np.inf], [2, 3]], np.float32)
    assert encode_predictions(reply(y=odd), rows=True) == b'{"predictions":[[1.0,NaN],[Infinity,-Infinity],[2.0,3.0]]}'
    both = reply(y=odd, null=np.array([b"null", b"NaN", b""], dtype=object), s=odd[:, 1])
    first = json.loads(encode_predictions(both, rows=True))["predictions"][0]
    assert (first["y"][0], math.isnan(first["y"][1]), first["null"], math.isnan(first["s"])) == (1, True, "null", True)
    assert encode_predictions(reply(y=np.array(np.nan)), rows=False) == b'{"outputs":NaN}'


@pytest.mark.parametrize("datatype", [*DTYPES, "BYTES"])
@pytest.mark.parametrize("shape", [(), (0,), (2,), (2, 0), (0, 3), (1, 2, 2)])
def test_every_type_and_shape(datatype: str, shape: tuple[int, ...]) -> None:
    """Comes out in the shape it has."""
    array = np.ones(shape, DTYPES[datatype]) if datatype in DTYPES else np.full(shape, b"1", dtype=object)
    told = json.loads(encode_predictions(reply(y=array), rows=False))["outputs"]
    wanted = np.full(shape, "1", object) if datatype == "BYTES" else array
    wanted = wanted.astype(float) if wanted.dtype == BF16 else wanted
    assert told == wanted.tolist()
    if len(shape) > 1:
        rows = json.loads(encode_predictions(reply(y=array, z=array), rows=True))["predictions"]
        assert [row["z"] for row in rows] == wanted.tolist()


def test_bytes_are_in_base64() -> None:
    """Where the output's name says so, and where they are no text."""
    raw = np.array([b"ab", b"\xff"], dtype=object)
    told = json.loads(encode_predictions(reply(y_bytes=raw, y=raw), rows=False))["outputs"]
    assert told == {"y_bytes": [{"b64": "YWI="}, {"b64": "/w=="}], "y": ["ab", {"b64": "/w=="}]}


@pytest.mark.parametrize(
    "outputs", [{"y": np.float32(1)}, {"y": NUMBERS, "z": NUMBERS[:1]}, {"y": NUMBERS, "z": np.ones(())}]
)
def test_what_has_no_rows_is_asked_in_columns(outputs: dict[str, Any]) -> None:
    """The sentence says so."""
    made = reply(**{name: np.asarray(array) for name, array in outputs.items()})
    with pytest.raises(InvalidRequest, match="`inputs` instead"):
        encode_predictions(made, rows=True)


def test_classes_are_labels_and_scores() -> None:
    """Labels are the output of the same shape that holds them; without one they are empty."""
    labels = np.array([["a", "b"], ["c", "d"]], dtype=object)
    pairs = [[["a", 0.1], ["b", 2.0]], [["c", -3.5], ["d", 4.0]]]
    assert json.loads(encode_classes(reply(scores=NUMBERS, classes=labels))) == {"results": pairs}
    assert json.loads(encode_classes(reply(y_values=NUMBERS, y_labels=labels, other=NUMBERS))) == {"results": pairs}
    numbered = json.loads(encode_classes(reply(y_values=NUMBERS, y_indices=np.array([[1, 0], [0, 1]]))))
    assert numbered["results"][0] == [["1", 0.1], ["0", 2.0]]
    bare = json.loads(encode_classes(reply(y=NUMBERS, label=np.array([1, 0]))))
    assert bare["results"] == [[["", 0.1], ["", 2.0]], [["", -3.5], ["", 4.0]]]
    assert encode_classes(reply(y=np.array([[np.nan]]))) == b'{"results":[[["",NaN]]]}'
    assert encode_classes(reply(y=np.zeros((0, 2)), t=np.zeros((0, 2), object))) == b'{"results":[]}'


def test_values_are_one_for_each_row() -> None:
    """Flat or in rows of one."""
    assert encode_values(reply(y=np.array([1.5, np.inf]))) == b'{"results":[1.5,Infinity]}'
    assert encode_values(reply(outputs=np.array([[1.5], [2]]), other=np.array([1.0]))) == b'{"results":[1.5,2.0]}'


@pytest.mark.parametrize(
    ("encode", "outputs"),
    [
        (encode_classes, {"y": np.array([1])}),
        (encode_classes, {"y": NUMBERS, "z": NUMBERS}),
        (encode_classes, {"y": np.ones((1, 1, 1))}),
        (encode_values, {"y": NUMBERS}),
        (encode_values, {}),
    ],
)
def test_answers_that_cannot_be_told_so(encode: Any, outputs: dict[str, Any]) -> None:
    """The sentence sends the caller to `:predict`."""
    with pytest.raises(InvalidRequest, match=":predict"):
        encode(reply(**outputs))
