"""What a pool of workers is called, and what that makes of a function and a variable."""

from __future__ import annotations

import pytest

from scurry import rules
from scurry.job.module import bound_functions
from scurry.wire.names import INFERENCE
from scurry.wire.pools import DEFAULT_POOL, POOL_NAME, VARIABLE, function_of, pool_of, variable_of


@pytest.mark.parametrize("pool", ["gpu", "a", "gpu-a100", "x" * 32, "g2"])
def test_each_pool_has_a_function_and_a_variable_of_its_own(pool: str) -> None:
    """Both are made of its name; the function tells the name again, and a module's text is read the same."""
    assert POOL_NAME.fullmatch(pool)
    assert (function_of(pool), pool_of(function_of(pool))) == (f"{INFERENCE}.{pool}", pool)
    assert VARIABLE.fullmatch(variable_of(pool))
    assert bound_functions(f"spec:\n  functions: {function_of(pool)}\n") == (function_of(pool),)


def test_the_default_pool_is_the_function_that_always_was() -> None:
    """With its name or without one."""
    assert {function_of(""), function_of(DEFAULT_POOL)} == {INFERENCE}
    assert (pool_of(INFERENCE), variable_of(DEFAULT_POOL)) == (DEFAULT_POOL, "SCURRY_WORKERS")


@pytest.mark.parametrize("pool", ["", "GPU", "1a", "a.b", "a_b", "-a", "a-", "x" * 33, "a b", "a/b", "é", "a\n"])
def test_what_is_no_pool(pool: str) -> None:
    """What no Service could be called, or what two variables could stand for; the settings say the same."""
    assert not POOL_NAME.fullmatch(pool)
    words, holds = rules.RULES["pool"]
    assert words and not holds(pool)
    assert not rules.RULES["worker_pool"][1](f"{pool}=1")


@pytest.mark.parametrize("function", ["scurry/router", "scurry/inferences", "scurry/inference.", "a/inference.gpu"])
def test_other_functions_are_no_pools(function: str) -> None:
    """Not ours, or not workers'."""
    assert pool_of(function) == ""
