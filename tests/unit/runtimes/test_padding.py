"""Padding of one input."""

from __future__ import annotations

import numpy as np

from scurry.runtimes.padding import NOT_PADDED, Padding, PaddingRule


def test_the_next_size_is_taken():
    """What is longer than all of them is left as it is."""
    rule = PaddingRule((4, 8), 7)
    assert [rule.padded(length).size for length in (0, 4, 5, 9)] == [4, 4, 8, 9]


def test_the_value_stands_behind_what_came():
    """On axis 1 alone; an input that fits is not copied."""
    array = np.ones((2, 3, 2), np.int64)
    padded = Padding(3, 5, 7).applied(array)
    assert padded.shape == (2, 5, 2)
    assert (padded[:, :3] == 1).all()
    assert (padded[:, 3:] == 7).all()
    assert padded.dtype == np.int64
    assert Padding(3, 3).applied(array) is array
    assert NOT_PADDED.applied(array) is array
