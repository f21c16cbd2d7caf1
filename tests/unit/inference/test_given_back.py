"""Memory that closed models have left is given back."""

import asyncio
import threading

from scurry.inference.given_back import LEAST_BYTES, GivenBack, trim


async def settle():
    """Let threads come back."""
    for _ in range(100):
        await asyncio.sleep(0.001)


async def test_it_is_trimmed_once_in_a_part_of_the_budget():
    """Off the event loop; not for a few small models."""
    threads = []
    given = GivenBack(80 * LEAST_BYTES, lambda: threads.append(threading.get_ident()))
    assert given.every == 10 * LEAST_BYTES
    for _ in range(9):
        given.note(LEAST_BYTES)
    await settle()
    assert threads == []
    given.note(LEAST_BYTES)
    await settle()
    given.note(LEAST_BYTES)
    await settle()
    assert len(threads) == 1, "one in ten, and none for the first of the next ten"
    assert threads[0] != threading.get_ident()


async def test_one_at_a_time():
    """What is opened meanwhile counts for the next one."""
    held, times = threading.Event(), []

    def slow():
        times.append(1)
        held.wait(5)

    given = GivenBack(0, slow)
    for _ in range(5):
        given.note(LEAST_BYTES)
        await settle()
    assert len(times) == 1
    held.set()
    await settle()
    given.note(1)
    await settle()
    assert len(times) == 2


async def test_once_more_after_the_last():
    """Of several in a row, however small."""
    times = []
    given = GivenBack(80 * LEAST_BYTES, lambda: times.append(1), rest=0.05)
    for _ in range(5):
        given.note(1)
    assert repr(given) == "<GivenBack 0 of 320 MiB>"
    await asyncio.sleep(0.02)
    assert times == []
    for _ in range(500):
        await asyncio.sleep(0.01)
        if times:
            break
    await settle()
    assert times == [1]


def test_the_real_one_can_be_called():
    """Whatever C library this is."""
    assert trim() is None
