"""The ledger's verdict."""

from __future__ import annotations

import pytest
from tests.chaos.ledger import EXAMPLES, MUST_BE_ZERO, Ledger


@pytest.mark.parametrize("figure", MUST_BE_ZERO)
def test_each_figure_that_must_be_zero_ends_a_run(figure: str) -> None:
    """One of any kind is enough, and its detail is printed."""
    ledger = Ledger(answered=1000)
    assert ledger.holds
    assert ledger.lines()[-1] == "HOLDS"
    ledger.wrong(figure, "this one")
    assert not ledger.holds
    assert ledger.lines()[-1] == "BROKEN"
    assert f"    {figure}: this one" in ledger.lines()


def test_a_figure_that_does_not_exist_is_a_mistake() -> None:
    """A misspelt one would be counted by nobody."""
    with pytest.raises(LookupError, match="losst"):
        Ledger().wrong("losst", "")


def test_only_some_examples_are_kept() -> None:
    """The count is exact all the same."""
    ledger = Ledger()
    for number in range(100):
        ledger.wrong("lost", str(number))
    assert (ledger.wrongs["lost"], len(ledger.examples["lost"])) == (100, EXAMPLES)
