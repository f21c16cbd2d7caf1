"""What is known of a runtime before a model of it is opened."""

from __future__ import annotations

from pathlib import Path

from scurry.runtimes.catalog import RUNTIMES, runtime_class
from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import Options
from scurry.runtimes.traits import Traits


class Coded(Traits):
    """Its files can run code."""

    name = "coded"
    runs_code = True


def test_what_can_run_code_needs_a_permission_by_its_name():
    """Others need none."""
    file = ModelFile(Path("model.x"))
    assert Coded.permission(file, Options()) == "coded"
    assert Traits.permission(file, Options()) == ""


def test_every_runtime_says_what_it_is():
    """Before any framework is imported."""
    for name in RUNTIMES:
        cls = runtime_class(name)
        assert cls.framework
        assert cls.module
        assert all(suffix.startswith(".") for suffix in cls.suffixes)
