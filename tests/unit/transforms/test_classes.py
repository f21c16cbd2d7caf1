"""Scores, made into shares, places and labels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scurry.transforms.classes import above, labelled, largest, scaled, sigmoid, softmax
from scurry.wire.tensors import BF16

SHAPE = st.tuples(st.integers(1, 3), st.integers(1, 9))
FLOATS = arrays.arrays(np.float32, SHAPE, elements=st.sampled_from([np.nan, -np.inf, -1, 0, -0.0, 1, 1, 2, np.inf]))
NUMBERS = arrays.arrays(np.float64, SHAPE, elements=st.floats(-700, 700))


@settings(deadline=None)
@given(FLOATS | arrays.arrays(st.sampled_from([np.uint8, np.int64, np.float64]), SHAPE), st.integers(1, 9))
def test_the_largest_come_first_and_the_first_of_equals(scores, count):
    """As a sort in Python has it: NaN comes last, whole numbers reach to the ends of their type."""
    places = largest(scores, count)
    for row, found in zip(scores.tolist(), places.tolist(), strict=True):
        order = sorted(
            range(len(row)), key=lambda at: (math.isnan(row[at]), 0 if math.isnan(row[at]) else -row[at], at)
        )
        assert found == order[:count]


def test_halves_of_floats_are_numbers_too():
    """BF16 is no floating point number to numpy: NaN comes last all the same."""
    scores = np.array([[1, np.nan, 3, 2]], BF16)
    assert [largest(scores, count).tolist() for count in (1, 2, 4)] == [[[2]], [[2, 3]], [[2, 3, 0, 1]]]


@settings(deadline=None)
@given(NUMBERS)
def test_shares_sum_up_to_one_in_the_order_of_scores(scores):
    """As exponentials say; each row by itself."""
    shares = softmax(scores)
    for row, found in zip(scores.tolist(), shares, strict=True):
        total = math.fsum(math.exp(each - max(row)) for each in row)
        np.testing.assert_allclose(found, [math.exp(each - max(row)) / total for each in row], rtol=1e-12)


@settings(deadline=None)
@given(NUMBERS)
def test_sigmoid_neither_overflows_nor_warns(scores):
    """Between 0 and 1, symmetric around a half."""
    found = sigmoid(scores)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found + sigmoid(-scores), 1, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_types_stay(dtype):
    """Half precision is worked out in single."""
    scores = np.array([[60000, 1, 0]], dtype)
    for step in (softmax, sigmoid, scaled(0.5)):
        assert step(scores).dtype == dtype
    assert softmax(scores)[0].tolist() == [1, 0, 0]


def test_what_is_not_finite_stays_within_its_row():
    """NaN in, NaN out; no share of what is minus infinity; no rows, no answer."""
    found = softmax(np.float32([[np.nan, 1], [-np.inf, 0], [-np.inf, -np.inf]]))
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [0, 1]
    assert np.isnan(found[2]).all()
    assert softmax(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert sigmoid(np.float32([np.nan]))[0] != sigmoid(np.float32([np.nan]))[0]


def test_a_limit_is_reached_by_what_equals_it():
    """NaN reaches nothing."""
    assert above(0.5)(np.float32([0.4, 0.5, 0.6, np.nan])).tolist() == [False, True, True, False]


def test_places_have_labels():
    """One without has an empty one."""
    found = labelled(np.array([[1, 0], [2, -1]]), [b"a", b"b"])
    assert found.tolist() == [[b"b", b"a"], [b"", b""]]
