"""Open models, each under the identity of its registration."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest
from tests.unit.inference.toys import Shop, Toy

from scurry.inference import shelf as module
from scurry.inference import stock
from scurry.inference.failures import SECONDS as FAILURE_SECONDS
from scurry.inference.shelf import Gone, Shelf, identity_of
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.messages_pb2 import ModelSpec

M = ("m", "1")


def spec(identity: str = "i1", uri: str = "toy", **fields: object) -> ModelSpec:
    """A registration."""
    return ModelSpec(uri=uri, identity=identity, **fields)  # type: ignore[arg-type]


class Gate(Shop):
    """Opens toys when told to, and counts how many are being opened at once."""

    def __init__(self) -> None:
        super().__init__()
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
    loaded = await asyncio.gather(*(shelf.load(M, spec()) for _ in range(20)))
    assert len(set(map(id, loaded))) == 1
    assert shop.opened == ["m@1"]
    assert shelf.find(M, spec()) is loaded[0]


async def test_several_models_load_in_parallel():
    """A slow load does not hold up another model's."""
    gate = Gate()
    shelf = Shelf(gate, 1000)
    tasks = [asyncio.create_task(shelf.load((name, "1"), spec())) for name in "ab"]
    await begun(gate, 2)
    assert repr(shelf) == "<Shelf 0 models, 0 of 0 MiB, 2 loading>"
    gate.free.set()
    await asyncio.gather(*tasks)
    assert gate.most == 2


async def test_one_load_at_a_time_per_version():
    """A new registration waits for the load of the one before; both stand afterwards."""
    gate = Gate()
    shelf = Shelf(gate, 1000)
    old = asyncio.create_task(shelf.load(M, spec("old", "a")))
    await begun(gate, 1)
    new = asyncio.create_task(shelf.load(M, spec("new", "b")))
    await asyncio.sleep(0)
    gate.free.set()
    assert await old is not await new
    assert gate.most == 1
    assert shelf.models == 2


async def test_a_registration_is_answered_by_itself_alone(shop, shelf):
    """The new one never answers for the old, which stays until it is unloaded; nor the old for the new."""
    old = await shelf.load(M, spec("old", "a"))
    assert shelf.find(M, spec("new", "b")) is None
    new = await shelf.load(M, spec("new", "b"))
    assert new is not old
    assert (shelf.find(M, spec("old", "a")), shelf.find(M, spec("new", "b"))) == (old, new)
    assert await shelf.load(M, spec("old", "a")) is old
    assert shelf.unload(M, "old") == 1
    assert (shelf.find(M, spec("old", "a")), shelf.find(M, spec("new", "b"))) == (None, new)
    assert (shelf.models, shelf.bytes, shop.opened) == (1, 100, ["m@1"] * 2)


async def test_a_failed_replacement_leaves_the_old_one(shop, shelf):
    """What could not be opened answers nobody, and what was open goes on."""
    old = await shelf.load(M, spec("old", "a"))

    def broken() -> Toy:
        raise Failed("load_failed", "broken")

    shop.toys["m"] = broken
    with pytest.raises(Failed, match="broken"):
        await shelf.load(M, spec("new", "b"))
    assert shelf.find(M, spec("old", "a")) is old
    assert shelf.find(M, spec("new", "b")) is None


async def test_the_same_files_and_options_are_taken_over(shop, shelf):
    """Registering again what is open costs nothing; its bytes count once, and it goes with the last who names it."""
    old = await shelf.load(M, spec("old"))
    assert await shelf.load(M, spec("new", fingerprint="files of toy")) is old
    assert (shop.opened, shelf.models, shelf.bytes) == (["m@1"], 2, 100)
    shelf.unload(M, "old")
    assert (shelf.find(M, spec("new")), shelf.bytes) == (old, 100)
    shelf.unload(M, "new")
    assert (shelf.models, shelf.bytes) == (0, 0)


@pytest.mark.parametrize("change", ["content", "config", "version"])
async def test_what_differs_is_opened(shop, shelf, change):
    """An overwritten file, another option or another version is another model."""
    old = await shelf.load(M, spec("old"))
    if change == "content":
        shop.content["toy"] = "overwritten"
    key = ("m", "2") if change == "version" else M
    assert await shelf.load(key, spec("new", config="{}" if change == "config" else "")) is not old


async def test_files_that_changed_since_the_registration_are_refused(shop, shelf):
    """A worker that opens it later must not serve something else."""
    shop.content["toy"] = "overwritten"
    with pytest.raises(Failed, match="was changed since it was registered; register it again") as caught:
        await shelf.load(M, spec(fingerprint="files of toy"))
    assert (caught.value.code, shop.opened) == ("load_failed", [])


async def test_what_was_unloaded_is_not_brought_back(shop, shelf):
    """A request that was away is sent back; the registry itself may ask for the model again."""
    await shelf.load(M, spec())
    assert (shelf.unload(M, "i1"), shelf.unload(M, "i1")) == (1, 0)
    for _ in range(2):
        with pytest.raises(Gone):
            await shelf.load(M, spec())
    assert shop.opened == ["m@1"]
    loading = shelf.begin(M, spec())
    assert isinstance(loading, asyncio.Task)
    loaded = await loading
    assert shelf.begin(M, spec()) is loaded
    assert await shelf.load(M, spec()) is loaded


async def test_what_never_stood_here_is_not_brought_back_either(shelf):
    """Unload goes to every worker, whether or not it held the model."""
    assert shelf.unload(M, "i1") == 0
    with pytest.raises(Gone):
        await shelf.load(M, spec())


async def test_unload_without_identity_takes_every_registration(shelf):
    """All of the version, and no other version."""
    await shelf.load(M, spec("a", "a"))
    await shelf.load(M, spec("b", "b"))
    await shelf.load(("m", "2"), spec("c", "c"))
    assert shelf.unload(M, "") == 2
    assert shelf.find(("m", "2"), spec("c")) is not None
    with pytest.raises(Gone):
        await shelf.load(M, spec("a", "a"))


async def test_what_was_unloaded_is_remembered_within_bounds(shelf, monkeypatch):
    """Memory does not grow with the registrations that come and go."""
    monkeypatch.setattr(module, "DROPPED", 5)
    for at in range(20):
        shelf.unload(M, f"i{at}")
    assert len(shelf._dropped) == 5


async def test_the_least_recently_used_makes_room(shop):
    """Beyond the budget the model goes that was not used for longest."""
    shelf = Shelf(shop, budget=250)
    for name in "ab":
        await shelf.load((name, "1"), spec())
    shelf.find(("a", "1"), spec())
    await shelf.load(("c", "1"), spec())
    assert [shelf.find((name, "1"), spec()) is not None for name in "abc"] == [True, False, True]


async def test_room_is_made_before_a_model_is_opened(shop):
    """Its files, or what it took before, say how much; never both are in memory at once."""
    shelf = Shelf(shop, budget=150)
    seen = []

    def look() -> Toy:
        seen.append(shelf.models)
        return Toy()

    shop.toys["b"], shop.size = look, 80
    await shelf.load(("a", "1"), spec())
    await shelf.load(("b", "1"), spec())
    assert seen == [0]


async def test_a_model_in_use_stays(shop):
    """Who is being used is not evicted; the budget is kept again once it is free."""
    shelf = Shelf(shop, budget=100)
    loaded = await shelf.load(("a", "1"), spec())
    loaded.users += 1
    await shelf.load(("b", "1"), spec())
    assert (shelf.models, shelf.bytes) == (2, 200)
    loaded.users -= 1
    shelf.trim()
    assert (shelf.models, shelf.bytes) == (1, 100)


async def test_an_evicted_model_is_let_go(shop):
    """Nothing on the shelf keeps a model that has left it."""
    shelf = Shelf(shop, budget=100)
    gone = weakref.ref((await shelf.load(("a", "1"), spec())).model)
    await shelf.load(("b", "1"), spec())
    gc.collect()
    assert gone() is None


async def test_a_model_larger_than_the_budget_is_refused_unopened(shop):
    """By its files, before they are opened; it is said how much it takes and how much there is."""
    shop.size = 250 << 20
    with pytest.raises(Failed, match="m version 1 takes 300 MiB; this worker may hold 200 MiB") as caught:
        await Shelf(shop, budget=200 << 20).load(M, spec())
    assert (caught.value.code, shop.opened) == ("load_failed", [])


async def test_a_model_that_turned_out_too_large_is_not_opened_twice(shop):
    """What it took is known by its files from then on."""
    now = [0.0]
    shelf = Shelf(shop, budget=200 << 20, clock=lambda: now[0])
    closed = []

    class Closing(Toy):
        def close(self) -> None:
            closed.append(self)

    shop.toys["m"] = lambda: Closing(size=300 << 20)
    for _ in range(2):
        with pytest.raises(Failed, match="takes 300 MiB; this worker may hold 200 MiB"):
            await shelf.load(M, spec())
        now[0] += FAILURE_SECONDS
    assert shop.opened == ["m@1"]
    assert len(closed) == 1


async def test_a_failure_is_remembered_for_a_moment(shop):
    """A broken model is not opened for each request; later, and for another registration, it is tried again."""
    now = [0.0]
    shelf = Shelf(shop, 1000, clock=lambda: now[0])

    def broken() -> Toy:
        raise Failed("load_failed", "broken")

    shop.toys["m"] = broken
    for _ in range(3):
        with pytest.raises(Failed, match="broken"):
            await shelf.load(M, spec())
    assert len(shop.opened) == 1
    with pytest.raises(Failed, match="broken"):
        await shelf.load(M, spec("i2"))
    now[0] = FAILURE_SECONDS
    del shop.toys["m"]
    assert await shelf.load(M, spec()) is not None


async def test_foreign_exceptions_become_load_failed(shop, shelf):
    """Whatever a loader raises, callers meet the one code."""

    def broken() -> Toy:
        raise MemoryError

    shop.toys["m"] = broken
    with pytest.raises(Failed, match="MemoryError") as caught:
        await shelf.load(M, spec())
    assert caught.value.code == "load_failed"


async def test_without_a_spec_there_is_nothing_to_open(shelf):
    """A request for a model that nobody described is told to wait."""
    with pytest.raises(Unavailable) as caught:
        await shelf.load(M, ModelSpec())
    assert caught.value.code == "model_not_ready"


async def test_unload_while_loading():
    """A model that is unloaded before it is open does not stay; who waits for it still gets it."""
    gate = Gate()
    shelf = Shelf(gate, 1000)
    task = asyncio.create_task(shelf.load(M, spec()))
    await begun(gate, 1)
    shelf.unload(M, "")
    gate.free.set()
    assert await task is not None
    assert shelf.models == 0


async def test_who_gives_up_does_not_stop_the_load():
    """A cancelled waiter leaves the load to the others."""
    gate = Gate()
    shelf = Shelf(gate, 1000)
    first, second = (asyncio.create_task(shelf.load(M, spec())) for _ in range(2))
    await begun(gate, 1)
    first.cancel()
    gate.free.set()
    assert await second is not None
    assert first.cancelled()


def test_a_spec_without_identity_is_told_apart_by_what_it_says():
    """So that a record written before there were identities still names its model."""
    one = ModelSpec(uri="a", generation=1)
    assert identity_of(one) == identity_of(ModelSpec(uri="a", generation=1))
    others = [ModelSpec(uri="a", generation=2), ModelSpec(uri="b", generation=1), ModelSpec(uri="a", runtime="onnx")]
    assert len({identity_of(each) for each in (one, *others)}) == 4
    assert identity_of(spec("given")) == "given"


async def test_models_that_are_fetched_keep_no_others_waiting(shop, monkeypatch):
    """However many sources are slow, what lies here is opened meanwhile."""
    free, find = threading.Event(), shop.find

    def slow(model: str, version: str, place: ModelSpec) -> object:
        if place.uri.startswith("s3:"):
            assert free.wait(10)
        return find(model, version, place)

    monkeypatch.setattr(shop, "find", slow)
    shelf = Shelf(shop, 10_000)
    away = [asyncio.create_task(shelf.load((f"a{n}", "1"), spec(uri="s3://b/m"))) for n in range(40)]
    await asyncio.sleep(0)
    for n in range(5):
        await asyncio.wait_for(shelf.load((f"m{n}", "1"), spec(uri="/m")), 5)
    assert not any(each.done() for each in away)
    free.set()
    await asyncio.gather(*away)


async def test_a_pinned_model_stays_and_is_named_where_it_leaves_no_room(shop):
    """Others make room for one another; what pins leave too little for is refused unopened."""
    shelf = Shelf(shop, 250)
    pinned = await shelf.load(M, spec("i1", pinned=True))
    for name in "abc":
        await shelf.load((name, "1"), spec("i1", name))
    assert shelf.find(M, spec("i1")) is pinned
    await shelf.load(("n", "1"), spec("i1", pinned=True))
    with pytest.raises(Failed, match="taken by pinned models"):
        await shelf.load(("o", "1"), spec("i1", "o"))
    shelf.unpin(M, "i1")
    await shelf.load(("o", "1"), spec("i2", "o"))
    assert shelf.find(M, spec("i1")) is None


async def test_what_finds_no_room_is_opened_after_others():
    """As many at a time as the budget holds, not as many as are asked for; at least one, whatever is in use."""
    gate = Gate()
    gate.size = 80
    shelf = Shelf(gate, 250)
    tasks = [asyncio.create_task(shelf.load((name, "1"), spec())) for name in "abcdef"]
    await begun(gate, 2)
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert gate.most == 2
    gate.free.set()
    for loaded in await asyncio.gather(*tasks):
        loaded.users += 1
    assert (gate.most, len({loaded.key for loaded in await asyncio.gather(*tasks)})) == (2, 6)


async def test_a_load_that_hangs_keeps_others_waiting_for_a_while_only(monkeypatch):
    """Then they are opened beside it, as if there were room."""
    monkeypatch.setattr(stock, "PATIENCE_SECONDS", 0.05)
    gate = Gate()
    gate.size = 80
    shelf = Shelf(gate, 100)
    tasks = [asyncio.create_task(shelf.load((name, "1"), spec())) for name in "ab"]
    await begun(gate, 2)
    gate.free.set()
    await asyncio.gather(*tasks)
    assert gate.most == 2


async def test_what_was_opened_for_somebody_is_there_when_he_has_it(shop):
    """Others that are opened at the same time do not take its place before."""
    shelf = Shelf(shop, budget=100)
    standing = []

    async def ask(name):
        loaded = await shelf.load((name, "1"), spec())
        standing.append(not loaded.retired)
        loaded.users += 1
        await asyncio.sleep(0.001)
        loaded.leave()
        shelf.trim()

    await asyncio.gather(*(ask(name) for name in "abcdefgh" * 3))
    assert standing == [True] * 24
    assert (shelf.models, shelf.bytes) == (1, 100)
