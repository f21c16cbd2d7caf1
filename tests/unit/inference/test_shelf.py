"""Open models within a budget."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest
from tests.unit.inference.toys import Toy

from scurry.inference.shelf import FAILURE_SECONDS, Shelf
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.messages_pb2 import ModelSpec


def spec(generation: int = 1) -> ModelSpec:
    """A spec of some generation."""
    return ModelSpec(uri="toy", generation=generation)


class Gate:
    """Opens toys when told to, and counts how many are being opened at once."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun = threading.Semaphore(0)
        self.now = self.most = 0
        self.lock = threading.Lock()

    def open(self, *_: object) -> Toy:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.begun.release()
        assert self.free.wait(10)
        with self.lock:
            self.now -= 1
        return Toy()


async def begun(gate: Gate, times: int) -> None:
    """Wait until so many loads have begun."""
    for _ in range(times):
        assert await asyncio.to_thread(gate.begun.acquire, timeout=10)


async def test_a_model_is_opened_once_however_many_ask(shop, shelf):
    """Those who ask while it is loading share the load."""
    loaded = await asyncio.gather(*(shelf.load(("m", "1"), spec()) for _ in range(20)))
    assert len(set(map(id, loaded))) == 1
    assert shop.opened == [("m", "1", 1)]
    assert shelf.find(("m", "1"), 1) is loaded[0]


async def test_several_models_load_in_parallel():
    """A slow load does not hold up another model's."""
    gate = Gate()
    shelf = Shelf(gate.open, 1000)
    tasks = [asyncio.create_task(shelf.load((name, "1"), spec())) for name in "ab"]
    await begun(gate, 2)
    assert repr(shelf) == "<Shelf 0 models, 0 of 0 MiB, 2 loading>"
    gate.free.set()
    await asyncio.gather(*tasks)
    assert gate.most == 2


async def test_one_load_at_a_time_per_model():
    """A newer generation waits for the load it replaces."""
    gate = Gate()
    shelf = Shelf(gate.open, 1000)
    old = asyncio.create_task(shelf.load(("m", "1"), spec(1)))
    await begun(gate, 1)
    new = asyncio.create_task(shelf.load(("m", "1"), spec(2)))
    await asyncio.sleep(0)
    gate.free.set()
    assert ((await old).generation, (await new).generation) == (1, 2)
    assert gate.most == 1
    assert shelf.find(("m", "1"), 2) is not None


async def test_a_newer_generation_replaces_and_an_older_is_served_by_it(shop, shelf):
    """What a version switch has overtaken is answered by the newer model."""
    first = await shelf.load(("m", "1"), spec(1))
    second = await shelf.load(("m", "1"), spec(2))
    assert second is not first
    assert await shelf.load(("m", "1"), spec(1)) is second
    assert (shelf.models, shelf.bytes) == (1, 100)


async def test_the_least_recently_used_makes_room(shop):
    """Beyond the budget the model goes that was not used for longest."""
    shelf = Shelf(shop.open, budget=250)
    for name in "ab":
        await shelf.load((name, "1"), spec())
    shelf.find(("a", "1"), 1)
    await shelf.load(("c", "1"), spec())
    assert [shelf.find((name, "1"), 1) is not None for name in "abc"] == [True, False, True]


async def test_a_model_in_use_stays(shop):
    """Who is being used is not evicted; the budget is kept again once it is free."""
    shelf = Shelf(shop.open, budget=100)
    loaded = await shelf.load(("a", "1"), spec())
    loaded.users += 1
    await shelf.load(("b", "1"), spec())
    assert (shelf.models, shelf.bytes) == (2, 200)
    loaded.users -= 1
    shelf.trim()
    assert (shelf.models, shelf.bytes) == (1, 100)


async def test_an_evicted_model_is_let_go(shop):
    """Nothing on the shelf keeps a model that has left it."""
    shelf = Shelf(shop.open, budget=100)
    gone = weakref.ref((await shelf.load(("a", "1"), spec())).model)
    await shelf.load(("b", "1"), spec())
    gc.collect()
    assert gone() is None


async def test_a_model_larger_than_the_budget_is_refused(shop):
    """It is said how much it takes and how much there is."""
    shop.toys["m"] = lambda: Toy(size=300 << 20)
    with pytest.raises(Failed, match="m version 1 takes 300 MiB; this worker may hold 200 MiB") as caught:
        await Shelf(shop.open, budget=200 << 20).load(("m", "1"), spec())
    assert caught.value.code == "load_failed"


async def test_a_failure_is_remembered_for_a_moment(shop):
    """A broken model is not opened for each request; later, and for a newer generation, it is tried again."""
    now = [0.0]
    shelf = Shelf(shop.open, 1000, clock=lambda: now[0])

    def broken() -> Toy:
        raise Failed("load_failed", "broken")

    shop.toys["m"] = broken
    for _ in range(3):
        with pytest.raises(Failed, match="broken"):
            await shelf.load(("m", "1"), spec())
    assert len(shop.opened) == 1
    with pytest.raises(Failed, match="broken"):
        await shelf.load(("m", "1"), spec(2))
    now[0] = FAILURE_SECONDS
    del shop.toys["m"]
    assert (await shelf.load(("m", "1"), spec())).generation == 1


async def test_foreign_exceptions_become_load_failed(shop, shelf):
    """Whatever a loader raises, callers meet the one code."""

    def broken() -> Toy:
        raise MemoryError

    shop.toys["m"] = broken
    with pytest.raises(Failed, match="MemoryError") as caught:
        await shelf.load(("m", "1"), spec())
    assert caught.value.code == "load_failed"


async def test_without_a_spec_there_is_nothing_to_open(shelf):
    """A request for a model that nobody described is told to wait."""
    with pytest.raises(Unavailable) as caught:
        await shelf.load(("m", "1"), ModelSpec())
    assert caught.value.code == "model_not_ready"


async def test_unload_spares_newer_generations(shelf):
    """An unload that a newer registration has overtaken changes nothing."""
    await shelf.load(("m", "1"), spec(2))
    assert not shelf.unload(("m", "1"), 1)
    assert shelf.unload(("m", "1"), 2)
    assert not shelf.unload(("m", "1"), 2)
    assert (shelf.models, shelf.bytes) == (0, 0)


async def test_unload_while_loading():
    """A model that is unloaded before it is open does not stay; who waits for it still gets it."""
    gate = Gate()
    shelf = Shelf(gate.open, 1000)
    task = asyncio.create_task(shelf.load(("m", "1"), spec()))
    await begun(gate, 1)
    shelf.unload(("m", "1"), 1)
    gate.free.set()
    assert (await task).generation == 1
    assert shelf.models == 0


async def test_who_gives_up_does_not_stop_the_load():
    """A cancelled waiter leaves the load to the others."""
    gate = Gate()
    shelf = Shelf(gate.open, 1000)
    first, second = (asyncio.create_task(shelf.load(("m", "1"), spec())) for _ in range(2))
    await begun(gate, 1)
    first.cancel()
    gate.free.set()
    assert (await second).generation == 1
    assert first.cancelled()


async def test_runs_are_timed(shelf):
    """The mean follows what runs take, and tells what a call will take."""
    loaded = await shelf.load(("m", "1"), spec())
    for _ in range(50):
        loaded.record_latency(0.1)
    assert loaded.seconds == pytest.approx(0.1, rel=0.01)
    assert loaded.expected(4) == pytest.approx(0.1, rel=0.01)
    assert loaded.expected(5) == pytest.approx(0.2, rel=0.01)
    assert repr(loaded) == "<LoadedModel m@1 generation 1, 0 users>"
