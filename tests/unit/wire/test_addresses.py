"""Keys of the inference function, by the table that Java reads too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scurry.wire import addresses

TABLE = json.loads((Path(__file__).parents[2] / "vectors" / "addresses.json").read_text())
KINDS = {"lane": addresses.Lane, "solo": addresses.Solo, "sequence": addresses.Sequence, "load": addresses.Load}


@pytest.mark.parametrize("row", TABLE["good"], ids=lambda row: row["text"])
def test_an_address_is_read_and_written(row: dict[str, Any]) -> None:
    """Both ways, and each kind is told from the others."""
    fields = dict(row)
    text, kind = fields.pop("text"), KINDS[fields.pop("kind")]
    address = kind(**fields)
    assert addresses.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", TABLE["bad"])
def test_anything_else_is_no_address(text: str) -> None:
    """A lane has one spelling, names are names, and nothing follows."""
    assert addresses.parse(text) is None


def test_names_are_those_of_models() -> None:
    """What a model or version may be called may stand in an address, up to the last letter."""
    longest = "m" * 128
    assert addresses.parse(f"{longest}@{longest}/0") == addresses.Lane(longest, longest, 0)
    assert addresses.parse(f"{longest}m@1/0") is None


def test_a_load_for_every_worker_names_no_lane() -> None:
    """That is what it is when nothing is said."""
    assert str(addresses.Load("m", "1")) == "m@1/load/all"
