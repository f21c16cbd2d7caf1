"""A model's input that is made of sparse tensors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.transforms.sparse_input import MOST_ELEMENTS, Sparse, prepare
from scurry.transforms.specs import Spec, Unusable
from scurry.wire.errors import Failed

X = Spec("x", "FP32", (-1, 4, 5))


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.data())
def test_a_dense_tensor_comes_back_from_its_sparse_form(shape, data):
    """Whatever its shape; the order of the indices does not matter."""
    size = int(np.prod(shape))
    dense = np.array(data.draw(st.lists(st.sampled_from([0, 0, 1, 2.5, -3]), min_size=size, max_size=size)))
    dense = dense.reshape(shape).astype(np.float32)
    indices = np.argwhere(dense)
    order = data.draw(st.permutations(range(len(indices))))
    indices = indices[list(order)].reshape(-1, len(shape))
    made = Sparse(tuple(shape), np.dtype(np.float32))
    got = made.row((indices, dense[tuple(indices.T)], np.array(shape)))
    assert np.array_equal(got, dense)


def test_values_at_one_place_add_up():
    """So that padding with zeros changes nothing."""
    sent = (np.array([[1], [1], [0]]), np.float32([2, 3, 0]), np.array([3]))
    assert Sparse((3,), np.dtype(np.float32)).row(sent).tolist() == [0, 5, 0]


@pytest.mark.parametrize(
    ("indices", "values", "shape", "sentence"),
    [
        ([[0, 5]], [1], [4, 5], r"has an index outside of \[4, 5\]: \[0, 5\]"),
        ([[-1, 0]], [1], [4, 5], r"has an index outside of \[4, 5\]: \[-1, 0\]"),
        ([[0, 0]], [1, 2], [4, 5], "has 1 indices for 2 values"),
        ([[0, 0]], [1], [4, 6], r"has the shape \[4, 6\]; the model takes \[4, -1\]|the model takes \[4, 5\]"),
        ([[0, 0]], [1], [-4, 5], r"has the shape \[-4, 5\]"),
    ],
)
def test_what_lies_outside_is_unusable(indices, values, shape, sentence):
    """Indices, counts and shapes are held against each other."""
    sent = (np.array(indices), np.float32(values), np.array(shape))
    with pytest.raises(Unusable, match=sentence):
        Sparse((4, 5), np.dtype(np.float32)).row(sent)


def test_a_small_request_cannot_fill_the_memory():
    """Whatever shape it states."""
    empty = (np.zeros((0, 2), np.int64), np.float32([]))
    for shape in ([MOST_ELEMENTS, 2], [2**62, 2**62], [0, 2**62]):
        with pytest.raises(Unusable, match="at most 16777216 elements"):
            Sparse((-1, -1), np.dtype(np.float32)).row((*empty, np.array(shape)))


def test_callers_send_three_tensors():
    """Called after the input, or as the entry says; values have the model's type."""
    made = prepare("p", {"sparse": True}, X)
    assert made.takes == (
        Spec("x_indices", "INT64", (-1, -1, 2)),
        Spec("x_values", "FP32", (-1, -1)),
        Spec("x_shape", "INT64", (-1, 2)),
    )
    assert made.row(made.sample).shape == (4, 5)
    named = prepare("p", {"sparse": {"indices": "i", "values": "v", "shape": "s"}}, X)
    assert [spec.name for spec in named.takes] == ["i", "v", "s"]


@pytest.mark.parametrize("to", [Spec("x", "BYTES", (-1, 4)), Spec("x", "FP32", (4,)), Spec("x", "BOOL", (-1, 4))])
def test_an_input_without_rows_of_numbers_is_refused(to):
    """With its type and shape."""
    with pytest.raises(Failed, match="gives rows of numbers, but input 'x' is"):
        prepare("p", {"sparse": True}, to)
