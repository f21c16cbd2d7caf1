"""What a model takes and gives."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from scurry.runtimes.port import Port


def test_ports_are_values() -> None:
    """Equal where name, datatype and shape are, and the same for ever: layouts are remembered by them."""
    one, same, other = Port("x", "FP32", (-1, 2)), Port("x", "FP32", (-1, 2)), Port("x", "FP32", (1, 2))
    assert (one == same, hash(one) == hash(same), one == other) == (True, True, False)
    with pytest.raises(FrozenInstanceError):
        one.shape = (1,)  # type: ignore[misc]
