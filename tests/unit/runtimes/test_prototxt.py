"""Inputs of Caffe networks, read from their text."""

from __future__ import annotations

import pytest

from scurry.runtimes.prototxt import inputs_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9', [("x", (-1, 3, 8, 9))]),
        ('input: "x" input: "y" input_shape { dim: 1 } input_shape { dim: 2 dim: 4 }', [("x", (-1,)), ("y", (-1, 4))]),
        ("layer { type: 'Input' top: 'x' input_param: < shape { dim: 1 dim: 2 } > }", [("x", (-1, 2))]),
        ('input: "x" input_shape { dim: [1, 3, 8, 9] }', [("x", (-1, 3, 8, 9))]),
        ('layer { type: "ReLU" top: "x" lr: 1.5e-3 flag: true }', []),
        ("", []),
    ],
)  # fmt: skip
def test_inputs_are_found(text, found):
    """At the top or in a layer; the batch is free."""
    assert inputs_in(text) == found


@pytest.mark.parametrize("text", ["layer {", 'input: "x"', "}{", 'layer { type: "Input" top: "x" }', "a { " * 99])
def test_what_is_no_network_is_an_error(text):
    """Of one kind, whatever is wrong."""
    with pytest.raises(ValueError, match=r"."):
        inputs_in(text)
