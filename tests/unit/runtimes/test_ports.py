"""Tensors as the Open Inference Protocol describes them."""

from __future__ import annotations

import pytest

from scurry.runtimes.port import Port
from scurry.runtimes.ports import read_ports
from scurry.wire.errors import Failed

X = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}


def test_a_list_of_tensors_is_read():
    """In its order; a tuple is a list."""
    text = {"name": "t", "datatype": "BYTES", "shape": ()}
    assert read_ports("inputs", [X, text]) == (Port("x", "FP32", (-1, 2)), Port("t", "BYTES", ()))
    assert read_ports("inputs", ()) == ()


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ("x", "`inputs` must be a list of objects"),
        ([3], r"`inputs\[0\]` must have name, datatype and shape, and no more, not 3"),
        ([X, {"name": "x", "datatype": "FP32"}], r"`inputs\[1\]` must have name"),
        ([X | {"dims": [2]}], "and no more"),
        ([X | {"name": ""}], "name must be a text, not ''"),
        ([X | {"datatype": "float32"}], "datatype must be one of BOOL, .*BYTES, not 'float32'"),
        ([X | {"shape": [-2]}], r"shape must be a list of whole numbers from -1, not \[-2\]"),
        ([X | {"shape": [True]}], r"shape must be"),
        ([X | {"shape": 3}], r"shape must be"),
        ([X | {"shape": [1] * 33}], r"shape must be"),
        ([X, X], "`inputs` has 'x' twice"),
    ],
)
def test_what_makes_no_sense_is_named(stated, sentence):
    """Each with where it stands."""
    with pytest.raises(Failed, match=sentence) as caught:
        read_ports("inputs", stated)
    assert caught.value.code == "load_failed"
