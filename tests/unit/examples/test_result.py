"""What the example of X-rays says of a run."""

from __future__ import annotations

import pytest
from examples.xray.result import Found, Run

ALONE = Run("alone", 2, 1.0, {"chest-000000.jpg": Found("clear", 0.9), "chest-000001.jpg": Found("finding", 0.8)})


def test_a_rate_gives_the_time_of_a_hundred_thousand() -> None:
    """Two a second: 50,000 s."""
    assert (ALONE.per_second, ALONE.minutes, ALONE.accuracy) == (2, pytest.approx(50_000 / 60), 1)


@pytest.mark.parametrize(("found", "differing"), [
    (Found("clear", 0.9004), 0), (Found("clear", 0.95), 1), (Found("finding", 0.9), 1),
])  # fmt: skip
def test_answers_differ_by_label_or_probability(found: Found, differing: int) -> None:
    """What rounding does is none; a picture that only one of both saw is left out."""
    assert Run("queue", 1, 1.0, {"chest-000000.jpg": found}).differing(ALONE) == differing
