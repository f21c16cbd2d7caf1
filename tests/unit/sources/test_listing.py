"""What lies at a source."""

from __future__ import annotations

import pytest

from scurry.sources import listing as module
from scurry.sources.listing import Item, item, listing
from scurry.wire.errors import Failed


def test_a_listing_tells_what_changed():
    """Name, size or mark: another digest. The order in which it was told does not matter."""
    a, b = Item("1/a", "s/a", 3, "x"), Item("1/b", "s/b", 4, "y")
    one = listing("1", {"1/a": a, "1/b": b})
    assert (one.marked, listing("1", {"1/a": Item("1/a", "s/a", 3)}).marked) == (True, False)
    assert (one, one.bytes) == (listing("1", {"1/b": b, "1/a": a}), 7)
    others = [
        listing("1", {"1/a": a}),
        listing("1/a", {"1/a": a, "1/b": b}),
        listing("1", {"1/a": Item("1/a", "s/a", 5, "x"), "1/b": b}),
        listing("1", {"1/a": Item("1/a", "s/a", 3, "z"), "1/b": b}),
    ]
    assert len({each.digest for each in (one, *others)}) == 5


@pytest.mark.parametrize("name", ["../a", "/a", "1/../../a", "1//a", "1/a\\b", "1/%2e%2e/a", "1/a\0"])
def test_names_that_lead_elsewhere_are_refused(name):
    """Object stores let a key be anything."""
    with pytest.raises(Failed, match="may lead elsewhere"):
        listing("1", {name: Item(name, "s", 1)})


def test_so_many_files_and_no_more(monkeypatch):
    """A prefix that holds a whole bucket is no model."""
    monkeypatch.setattr(module, "MOST", 2)
    with pytest.raises(Failed, match="There are 3 files"):
        listing("1", {name: Item(name, "s", 1) for name in "abc"})


def test_an_item_has_a_size_and_the_surest_mark():
    """What does not say how large it is cannot be held to it."""
    assert item("a", "s", {"size": 3, "LastModified": "then", "ETag": "e"}) == Item("a", "s", 3, "e")
    assert item("a", "s", {"size": 0}) == Item("a", "s", 0, "")
    with pytest.raises(Failed, match="does not say how large 'a' is"):
        item("a", "s", {"size": None})
