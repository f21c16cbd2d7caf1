"""Configs that state what the model is."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.runtimes.options import Options
from scurry.runtimes.padding import PaddingRule
from scurry.runtimes.port import Port
from scurry.runtimes.stated import check_stated
from scurry.wire.errors import Failed

INPUTS = (Port("x", "FP32", (-1, 3, 224)), Port("t", "BYTES", (-1, 1)))
OUTPUTS = (Port("y", "INT64", (-1, 10)),)
X = {"name": "x", "data_type": "TYPE_FP32", "dims": [3, 224]}
T = {"name": "t", "data_type": "TYPE_STRING", "dims": [1]}
Y = {"name": "y", "data_type": "TYPE_INT64", "dims": [10]}


def check(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]], size: int | None = 8) -> None:
    """Hold these against the model."""
    check_stated(Options(max_batch_size=size, input=tuple(inputs), output=tuple(outputs)), INPUTS, OUTPUTS)


def test_what_is_so_is_taken() -> None:
    """In any order, with outputs left out, -1 for any size, or nothing stated at all."""
    check([X, T], [Y])
    check([T, X], [])
    check([X | {"dims": [-1, 224]}, T], [Y])
    check([X | {"dims": [-1, 3, 224]}, T | {"dims": [-1, 1]}], [], size=0)
    check([{"name": "x"}, {"name": "t"}], [{"name": "y"}])
    check([], [], size=None)


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        ([X], [], "states no input 't'"),
        ([X, T, {"name": "z"}], [], "an input 'z'; the model has x, t"),
        ([X, T], [{"name": 3}], "an output 3"),
        ([X | {"data_type": "TYPE_FP16"}, T], [], "'x' as FP16; it is FP32"),
        ([X | {"dims": [224, 3]}, T], [], r"as \[224, 3\] behind the batch dimension; it is \[-1, 3, 224\]"),
        ([X | {"dims": 3}, T], [], "as 3 behind"),
        ([X, T], [Y | {"dims": [1, 10]}], "output 'y' as"),
        ([X | {"dimz": [3]}, T], [], "input 'x' in the config has no 'dimz'; was 'dims' meant"),
        ([X, T], [Y | {"optimal": True}], "output 'y' in the config has no 'optimal'; was 'optional' meant"),
        ([X | {"reshape": {"shape": [672]}}, T], [], "'reshape' of input 'x' does not work here yet"),
    ],
)
def test_what_is_not_so_is_refused(inputs: list[Any], outputs: list[Any], sentence: str) -> None:
    """It is the config of another model, or asks for what would change the answer."""
    with pytest.raises(Failed, match=sentence) as caught:
        check(inputs, outputs)
    assert caught.value.code == "load_failed"


IDS = (
    Port("ids", "INT64", (-1, -1)),
    Port("mask", "BOOL", (-1, -1)),
    Port("x", "FP32", (-1, 3)),
    Port("t", "BYTES", (-1, -1)),
    Port("half", "BF16", (-1, -1)),
)
TOKENS = (Port("tokens", "FP32", (-1, -1, 2)), Port("score", "FP32", (-1,)))


def test_padding_that_the_model_can_be_given_is_taken() -> None:
    """Axis 1 free, a value that the type holds, outputs that have an axis 1."""
    rules = {"ids": PaddingRule((8,), -1, ("tokens",)), "mask": PaddingRule((8,), 0), "half": PaddingRule((8,), 0.5)}
    check_stated(Options(padding=rules), IDS, TOKENS)


@pytest.mark.parametrize(
    ("name", "rule", "sentence"),
    [
        ("idz", PaddingRule((8,)), "no such input; it has ids, mask, x, t, half"),
        ("x", PaddingRule((8,)), r"FP32 \[-1, 3\]; axis 1 must be -1"),
        ("t", PaddingRule((8,)), "of numbers"),
        ("ids", PaddingRule((8,), 0.5), "0.5 is no INT64"),
        ("mask", PaddingRule((8,), 2), "2 is no BOOL"),
        ("ids", PaddingRule((8,), 0, ("score",)), "no output 'score' with an axis 1"),
    ],
)
def test_padding_that_it_cannot_be_given_is_refused(name: str, rule: PaddingRule, sentence: str) -> None:
    """When it is registered, and not with the first request that is too short."""
    with pytest.raises(Failed, match=sentence):
        check_stated(Options(padding={name: rule}), IDS, TOKENS)
