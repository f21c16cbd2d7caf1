"""Preferred sizes of batches, and filling up to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scurry.inference.sizes import BatchSizes


def test_what_waits_is_cut_into_the_largest_size_that_it_fills():
    """20 waiting rows of a model that likes 4 and 8 are 8, 8 and 4; 3 are none of them and go as they are."""
    sizes = BatchSizes(32, [8, 4])
    assert sizes.cut([1] * 20) == [8, 8, 4]
    assert sizes.cut([1] * 3) == [3]
    assert sizes.cut([3, 3, 3]) == [2, 1]
    assert BatchSizes(32).cut([1] * 70) == [32, 32, 6]


def test_a_batch_is_filled_up_to_the_next_size():
    """Above all of them to the limit; nothing is filled that was not asked for, nor a request beyond the limit."""
    sizes = BatchSizes(32, [4, 8], padded=True)
    assert [sizes.filled(rows) for rows in (0, 1, 4, 5, 9, 32, 40)] == [0, 4, 4, 8, 32, 32, 40]
    assert [sizes.fills(rows) for rows in (1, 4)] == [True, False]
    assert BatchSizes(32, [4, 8]).filled(3) == 3
    assert not BatchSizes(1, [4], padded=True).fills(1)
    assert repr(sizes) == "<BatchSizes up to 32, filled to [4, 8]>"


@given(st.lists(st.integers(1, 8), max_size=40), st.lists(st.integers(1, 12), max_size=4), st.integers(8, 16))
def test_every_request_is_in_one_call_and_no_call_above_the_limit(rows, preferred, limit):
    """In their order; a call above a preferred size is one that a single request makes so."""
    sizes = BatchSizes(limit, preferred)
    counts = sizes.cut(rows)
    assert sum(counts) == len(rows)
    assert all(counts)
    at = 0
    for count in counts:
        assert sum(rows[at : at + count]) <= limit
        at += count
