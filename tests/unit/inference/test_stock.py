"""What stands on the shelf."""

from __future__ import annotations

from tests.unit.inference.toys import Toy

from scurry.inference.loaded_model import LoadedModel
from scurry.inference.stock import Place, Stock


def model(name: str = "m") -> LoadedModel:
    """An open toy of 100 bytes."""
    return LoadedModel((name, "1"), Toy(), ("print", "toy", ""))


async def test_one_model_under_two_identities_counts_once():
    """And stays until the last is gone."""
    stock, shared = Stock(1000), model()
    one, two = Place("m", "1", "a"), Place("m", "1", "b")
    stock.put(one, shared)
    stock.put(two, shared)
    assert (len(stock), stock.bytes, stock.places(("m", "1"))) == (2, 100, [one, two])
    assert stock.alike(("m", "1"), ("print", "toy", "")) is shared
    assert stock.alike(("m", "2"), ("print", "toy", "")) is None
    assert stock.alike(("m", "1"), ("other", "toy", "")) is None
    assert (stock.remove(one), stock.remove(one), stock.bytes) == (True, False, 100)
    assert (stock.remove(two), stock.bytes) == (True, 0)


async def test_a_place_is_taken_by_one_model():
    """What is put where something stands replaces it, bytes and all."""
    stock, place = Stock(1000), Place("m", "1", "a")
    stock.put(place, model())
    stock.put(place, model())
    assert (len(stock), stock.bytes) == (1, 100)


async def test_room_is_made_by_the_longest_unused():
    """Reserved bytes count; whoever is in use stays."""
    stock = Stock(300)
    places = [Place(name, "1", "i") for name in "abc"]
    for place in places:
        stock.put(place, model(place.model))
    assert stock.find(places[0]).key == ("a", "1")
    stock.find(places[1]).users = 1
    stock.reserved = 100
    stock.make_room(0)
    assert [stock.find(place) is not None for place in places] == [True, True, False]
    stock.make_room(200)
    assert [stock.find(place) is not None for place in places] == [False, True, False]
    assert repr(stock) == "<Stock 1 models, 0 of 0 MiB>"


async def test_what_is_pinned_makes_no_room():
    """Not even when it was used last of all; once unpinned it does, and what is removed is pinned no more."""
    stock = Stock(300)
    places = [Place(name, "1", "i") for name in "abc"]
    stock.pinned.add(places[0])
    for place in places:
        stock.put(place, model(place.model))
    assert stock.pinned_bytes == 100
    stock.make_room(200)
    assert [stock.find(place) is not None for place in places] == [True, False, False]
    stock.pinned.clear()
    stock.make_room(300)
    assert len(stock) == 0
    stock.pinned.add(places[0])
    stock.put(places[0], model("a"))
    assert stock.remove(places[0])
    assert (stock.pinned, stock.pinned_bytes) == (set(), 0)
