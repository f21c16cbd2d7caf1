"""What measured hit ratios are held against."""

from __future__ import annotations

import pytest
from benchmarks.shelf import ideal_ratio


@pytest.mark.parametrize(
    ("asked", "budget", "begun", "ratio"),
    [
        ([0, 0, 0, 0], 10, 0, 0.75),
        ([0, 1, 0, 1], 10, 0, 0.0),
        ([0, 1, 0, 1], 20, 0, 0.5),
        ([0, 1, 0, 1], 20, 2, 1.0),
        ([0, 1, 0, 2, 0, 1], 20, 0, 2 / 6),
    ],
)
def test_a_cache_that_lets_the_longest_unused_go(asked, budget, begun, ratio):
    """Models of ten bytes each; what was asked before counting begins fills it."""
    assert ideal_ratio(asked, [10, 10, 10], budget, begun) == ratio
