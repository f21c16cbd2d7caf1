"""Requests of several lengths in one model call."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.inference.toys import Toy, body, request

from scurry.inference.batch import batches, run, same_rows
from scurry.inference.items import claim
from scurry.inference.layouts import LayoutCache
from scurry.runtimes.options import Options
from scurry.runtimes.padding import PaddingRule
from scurry.runtimes.port import Port

TEXT = (Port("ids", "INT64", (-1, -1)),)
GIVES = (Port("sum", "INT64", (-1,)), Port("tokens", "INT64", (-1, -1)))


def answer(toy: Toy, arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
    """What each of these requests gets, all of them in one call of the lane."""
    layouts = LayoutCache(toy)
    items = claim([request(at, body(ids=array)) for at, array in enumerate(arrays)], layouts)
    for batch in batches(items, layouts.sizes, batched=toy.batched, alike=same_rows(items)):
        run(toy, layouts, batch)
    assert not [item.failure for item in items if item.failure]
    return [[np.frombuffer(data, np.int64).reshape(shape) for shape, data in item.outputs] for item in items]


def model(**options) -> Toy:
    """Sums its tokens and gives one more than each; padding with 0 changes neither."""
    toy = Toy(lambda ids: [ids.sum(1), ids + 1], TEXT, GIVES, limit=8)
    toy.options = Options(padding={"ids": PaddingRule((4, 8), 0, ("tokens",))}, **options)
    return toy


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 12)), min_size=1, max_size=12), st.booleans())
def test_each_gets_what_it_would_get_alone(requests, filled):
    """Whoever it shared the call with, and cut back to its own length."""
    toy = model(batch_padding=filled, preferred_batch_size=(2, 4))
    arrays = [np.arange(rows * length).reshape(rows, length) for rows, length in requests]
    for array, (total, tokens) in zip(arrays, answer(toy, arrays), strict=True):
        np.testing.assert_array_equal(total, array.sum(1))
        np.testing.assert_array_equal(tokens, array + 1)
    assert all(length in (4, 8) or length > 8 for _, length in toy.seen)
    assert not filled or all(rows in (2, 4, 8) for rows, _ in toy.seen)


def test_lengths_share_a_call():
    """Three lengths below one size are one call of that size."""
    toy = model()
    answer(toy, [np.ones((1, length), np.int64) for length in (1, 2, 4)])
    assert toy.seen == [(3, 4)]


def test_what_is_not_padded_has_no_padding():
    """A model without rules pays nothing for it."""
    assert LayoutCache(Toy()).padding == {}
