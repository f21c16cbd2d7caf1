"""Loads that are under way."""

from __future__ import annotations

import asyncio
from typing import Any

from scurry.inference.stock import Place
from scurry.inference.underway import Underway


async def test_a_load_is_found_until_it_is_done() -> None:
    """By registration and by version, whatever becomes of it; nothing is left then."""
    ends: list[asyncio.Future[Any]] = [asyncio.get_running_loop().create_future() for _ in range(4)]
    places = [Place("m", "1", "a"), Place("m", "1", "b"), Place("m", "2", "a"), Place("n", "1", "a")]
    underway = Underway()

    async def load(end: asyncio.Future[Any]) -> Any:
        return await end

    tasks = [underway.begin(place, load(end)) for place, end in zip(places, ends, strict=True)]
    assert tasks[0].get_name() == "load m@1"
    assert [underway.find(place) for place in places] == tasks
    assert underway.of(("m", "1")) == dict(zip(places[:2], tasks[:2], strict=True))
    assert repr(underway) == "<Underway 4 loads>"
    ends[0].set_result("open")
    ends[1].set_exception(ValueError("no file"))
    tasks[2].cancel()
    await asyncio.wait(tasks[:3])
    await asyncio.sleep(0)
    assert [underway.find(place) for place in places] == [None, None, None, tasks[3]]
    assert underway.of(("m", "1")) == {}
    ends[3].set_result("open")
    assert (await tasks[3], len(underway)) == ("open", 0)


async def test_a_later_load_of_the_same_registration_stays() -> None:
    """The end of the one before it takes away nothing but itself."""
    underway, place = Underway(), Place("m", "1", "a")

    async def load(pause: float) -> Any:
        await asyncio.sleep(pause)

    first, second = (underway.begin(place, load(pause)) for pause in (0, 10))
    await first
    await asyncio.sleep(0)
    assert underway.find(place) is second
    second.cancel()
