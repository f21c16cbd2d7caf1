"""What the examples have in common."""

from __future__ import annotations

import pytest
from examples.running import needs


def test_a_framework_that_is_missing_is_told_in_a_sentence() -> None:
    """And how to come by it."""
    needs("json")
    with pytest.raises(SystemExit, match="needs no_such_framework, which is not installed here"):
        needs("no_such_framework")
