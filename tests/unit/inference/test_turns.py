"""So many at a time, the highest priority first."""

from __future__ import annotations

import asyncio

from scurry.inference.turns import Turns


async def wait(turns: Turns, level: int, name: str, order: list[str]) -> None:
    """Have a turn, and note it."""
    async with turns.at(level):
        order.append(name)
        await asyncio.sleep(0)


async def test_the_highest_priority_is_next_whoever_came_first() -> None:
    """Of one level, who came first; as many at a time as there are turns."""
    turns, order = Turns(1), list[str]()
    names = [("low-1", 2), ("mid", 1), ("low-2", 2), ("high-1", 0), ("high-2", 0)]
    async with turns.at(2):
        tasks = [asyncio.create_task(wait(turns, level, name, order)) for name, level in names]
        await asyncio.sleep(0)
        assert (order, repr(turns)) == ([], "<Turns 0 free, 5 waiting>")
    await asyncio.gather(*tasks)
    assert order == ["high-1", "high-2", "mid", "low-1", "low-2"]
    assert repr(turns) == "<Turns 1 free, 0 waiting>"


async def test_a_turn_that_is_given_up_is_the_next_ones() -> None:
    """Whether it was waited for, or given already."""
    turns, order = Turns(1), list[str]()
    async with turns.at(0):
        waiting = [asyncio.create_task(wait(turns, 0, str(number), order)) for number in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # it was given its turn just now
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == ["2"]
    assert repr(turns) == "<Turns 1 free, 0 waiting>"


async def test_who_fails_gives_the_turn_back() -> None:
    """And two may be had at a time."""
    turns = Turns(2)
    try:
        async with turns.at(0), turns.at(1):
            assert repr(turns) == "<Turns 0 free, 0 waiting>"
            raise ValueError
    except ValueError:
        pass
    assert repr(turns) == "<Turns 2 free, 0 waiting>"
