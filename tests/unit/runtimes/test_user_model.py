"""The class that users derive from."""

from __future__ import annotations

from pathlib import Path

import pytest

import scurry
from scurry.runtimes.user_model import Model


def test_it_is_the_public_one():
    """`scurry.Model`, and it does nothing unless it is told to."""
    assert scurry.Model is Model
    model = Model()
    assert (model.inputs, model.outputs) == ((), ())
    model.load(Path(), {})
    model.unload()
    with pytest.raises(NotImplementedError):
        model.predict({}, {})
