"""What a sound model answers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scurry.runtimes.baseline import FEW, Baseline, has_nan
from scurry.wire.tensors import DTYPES

ONE = [np.float32([[1, 2]])]


def test_a_steady_model_must_answer_the_same_again():
    """Up to rounding; other values, shapes or a NaN are not the model that was loaded."""
    base = Baseline(ONE, ONE, ONE)
    assert base.agrees([ONE[0] * np.float32(1 + 1e-6)])
    for other in ([ONE[0] + 1], [ONE[0] * np.nan], [ONE[0][:, :1]], []):
        assert not base.agrees(other)
    assert repr(base) == "<Baseline of 1 inputs, steady>"


def test_a_model_that_moves_by_itself_must_stay_finite():
    """Randomness and state change values, not their kind."""
    for base in (Baseline(ONE, ONE, [ONE[0] + 1]), Baseline(ONE, ONE)):
        assert base.agrees([ONE[0] + 5])
        assert not base.agrees([ONE[0] * np.nan])
    assert Baseline(ONE, [ONE[0] * np.nan]).agrees([ONE[0] * np.nan])


def test_nan_is_found_among_infinities():
    """An overflow is no NaN, and infinities of both signs are none."""
    assert not has_nan(
        [np.float32([np.inf, -np.inf]), np.float16([60000] * 4), np.array([1]), np.array(["nan"], object)]
    )
    assert has_nan([np.float32([1]), np.float64([1, np.nan])])
    assert not has_nan([np.zeros((0, 3), np.float32)])


@given(st.lists(st.floats(width=32), max_size=2 * FEW), st.sampled_from(["<f4", "<f8"]))
def test_nan_is_found_in_few_numbers_and_in_many(numbers, dtype):
    """As numpy finds it, whatever the numbers sum up to."""
    array = np.array(numbers, dtype)
    assert has_nan([array]) == bool(np.isnan(array).any())
    assert has_nan([array.reshape(1, -1)[:, ::2]]) == bool(np.isnan(array[::2]).any())


def test_what_a_model_overwrites_later_is_kept():
    """Outputs are copied: some frameworks reuse their memory."""
    outputs = [ONE[0].copy()]
    base = Baseline(ONE, outputs)
    outputs[0][:] = 9
    assert base.outputs[0].tolist() == [[1, 2]]


def test_nan_of_bf16_is_seen():
    """Numpy does not take BF16 for floats."""
    array = np.array([1.0, np.nan], DTYPES["BF16"])
    assert has_nan([array])
    assert not has_nan([array[:1]])
