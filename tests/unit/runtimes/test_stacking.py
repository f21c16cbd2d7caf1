"""Whether rows are independent, shown by trying."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scurry.runtimes.port import Port
from scurry.runtimes.stacking import DEPENDENT, INDEPENDENT, UNSTEADY, UNTRIED, decide, difference, examine
from scurry.wire.errors import Failed
from scurry.wire.tensors import DTYPES

X = (Port("x", "FP32", (-1, 4)),)
Y = (Port("y", "FP32", (-1, 4)),)
WEIGHTS = np.random.default_rng(1).standard_normal((4, 64)).astype(np.float32)


def of(function):
    """A function of arrays, called as a runtime is."""
    return lambda arrays: function(*arrays)


def quantised(x):
    """As dynamic quantisation does: one scale for the whole tensor."""
    scale = np.abs(x).max() / 127
    return [(np.round(x / scale) * scale).astype(np.float32)]


def grouped(x):
    """Every fifth row meets the first."""
    y = x.copy()
    y[4::5] += y[:1]
    return [y]


def counting():
    """A model with state."""
    count = itertools.count()
    return lambda x: [x + next(count)]


def noisy():
    """A model with randomness."""
    rng = np.random.default_rng()
    return lambda x: [x + rng.standard_normal(x.shape).astype(np.float32)]


def picky(x):
    """Takes nothing below zero."""
    if (x < 0).any():
        raise Failed("model_failed", "negative.")
    return [np.sqrt(x)]


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        (lambda x: [x], INDEPENDENT),
        (lambda x: [np.tanh(x @ WEIGHTS) @ WEIGHTS.T], INDEPENDENT),
        (lambda x: [x.argmax(axis=1)], INDEPENDENT),
        (lambda x: [np.where(x > 0, x, np.nan)], INDEPENDENT),
        (picky, INDEPENDENT),
        (lambda x: [x - x.mean(axis=0)], DEPENDENT),
        (lambda x: [x / x.max()], DEPENDENT),
        (lambda x: [np.sort(x, axis=0)], DEPENDENT),
        (lambda x: [x[::-1]], DEPENDENT),
        (lambda x: [np.cumsum(x, axis=0)], DEPENDENT),
        (quantised, DEPENDENT),
        (grouped, DEPENDENT),
        (lambda x: [np.concatenate([x, x])], DEPENDENT),
        (lambda x: [x.sum()], DEPENDENT),
        (counting(), UNSTEADY),
        (noisy(), UNSTEADY),
        (lambda x: [x * np.nan], UNTRIED),
    ],
)
def test_rows_are_tried_together_and_singly(function, verdict):
    """Mean, maximum, order, quantisation, a neighbour far away: each shows; what moves by itself says nothing."""
    found = examine(of(function), X, Y)
    assert found.verdict == verdict
    assert bool(found.sentence) == (verdict != INDEPENDENT)


def test_rows_that_would_take_too_much_memory_are_not_tried():
    """Nothing is made of them; only an explicit wish stacks them."""
    port = (Port("x", "FP32", (-1, 1 << 40)),)
    found = examine(of(lambda _: pytest.fail("it was run")), port, port)
    assert (found.verdict, found.sentence) == (UNTRIED, "2 made-up rows would take 8,388,608 MiB of memory")
    assert decide(of(np.sum), port, port, None) == (1, f"Requests are not stacked: {found.sentence}.")
    assert decide(of(np.sum), port, port, 4)[0] == 4


def test_every_output_counts():
    """A second output that mixes rows is enough."""
    found = examine(of(lambda x: [x, x - x.mean(axis=0)]), X, (*Y, Port("z", "FP32", (-1, 4))))
    assert (found.verdict, "'z'" in found.sentence) == (DEPENDENT, True)


@pytest.mark.parametrize("datatype", ["BOOL", "UINT8", "INT64", "FP16", "FP64", "BYTES"])
def test_every_datatype_is_tried(datatype):
    """Rows of any datatype are drawn, and reversing them shows."""
    x = (Port("x", datatype, (-1, 6)),)
    assert examine(of(lambda x: [x]), x, x).verdict == INDEPENDENT
    assert examine(of(lambda x: [x[::-1]]), x, x).verdict == DEPENDENT


@pytest.mark.parametrize("between", [" ", ",", "-", "/"])
def test_texts_that_are_split_show_the_longest_row(between):
    """Its words set the width of all, as ONNX's StringSplit has it: a caller would get columns because of another."""

    def split(texts):
        words = [text.split(between) for text in texts]
        most = max(map(len, words))
        return [np.array([row + [""] * (most - len(row)) for row in words], object)]

    port = (Port("t", "BYTES", (-1,)),)
    assert examine(of(split), port, (Port("words", "BYTES", (-1, -1)),)).verdict == DEPENDENT
    assert examine(of(lambda texts: [np.array([len(each) for each in texts])]), port, Y).verdict == INDEPENDENT


def test_a_table_looked_up_by_number_is_tried_with_small_numbers():
    """Numbers that are places in a short table cannot be any number."""
    table = np.eye(4, dtype=np.float32)

    def look_up(x):
        if (x >= len(table)).any():
            raise Failed("model_failed", "outside")
        return [table[x].sum(axis=1)]

    assert examine(of(look_up), (Port("x", "INT64", (-1, 3)),), Y).verdict == INDEPENDENT


def test_a_wish_is_granted_where_nothing_speaks_against_it():
    """State, randomness and rows that cannot be tried: the config decides, and the record says on whose word."""
    for function in (counting(), lambda x: [x * np.nan]):
        rows, warning = decide(of(function), X, Y, None)
        assert (rows, warning.startswith("Requests are not stacked: ")) == (1, True)
        rows, warning = decide(of(function), X, Y, 7)
        assert (rows, warning.startswith("Requests are stacked only because max_batch_size says so: ")) == (7, True)
    assert decide(of(lambda x: [x]), X, Y, 7) == (7, "")
    assert decide(of(lambda x: [x]), X, Y, None) == (32, "")


def test_a_wish_against_the_measurement_is_refused_with_both_values():
    """The sentence shows what came together and what came singly."""
    with pytest.raises(Failed, match=r"max_batch_size 7 .*output 'y': -?[\d.e-]+ and 0\.0") as caught:
        decide(of(lambda x: [x - x.mean(axis=0)]), X, Y, 7)
    assert caught.value.code == "load_failed"


def test_what_differs_is_told_apart_from_rounding():
    """Floats may differ as sums in another order do; numbers, texts and NaN may not."""
    one = np.float32([[1000, 1]])
    assert difference([one], [one + np.float32(0.01)]) is None
    assert difference([one], [one + np.float32(1)]) == "1000.0 and 1001.0"
    assert difference([one], [one.astype(np.float32) * np.nan]) == "1000.0 and nan"
    assert difference([np.array([[1]])], [np.array([[2]])]) == "1 and 2"
    assert difference([np.array([["a"]], object)], [np.array([["b"]], object)]) == "a and b"
    assert "shapes" in difference([one], [one[0]])


def test_bf16_is_compared_as_numbers():
    """To the few digits that it has."""
    one, near, far = (np.array([value, 2.0], DTYPES["BF16"]) for value in (1.0, 1.0078125, 1.5))
    assert difference([one], [near]) is None
    assert difference([one], [far]) == "1.0 and 1.5"
