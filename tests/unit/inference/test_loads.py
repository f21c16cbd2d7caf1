"""Answers to Load."""

from __future__ import annotations

import asyncio
import threading

from tests.unit.inference.toys import Toy, call, mail

from scurry.inference import loads
from scurry.inference.loads import Loads, report_broken
from scurry.inference.shelf import Shelf
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Load, Loaded, LoadFailed, Loading, ModelSpec, Unload

LOAD = Load(model="m", version="2", lane=1, spec=ModelSpec(uri="toy", generation=7, identity="i7"))


async def test_loaded_says_what_was_opened(shop, shelf):
    """The registry learns signature, memory, rows, runtime, device and worker."""
    toy = Toy()
    toy.warnings.append("It is a toy.")
    toy.labels = {"y": ["cat", "dog"], "gone": ["no"]}
    shop.toys["m"] = lambda: toy
    answered = call(LOAD)
    await Loads(shelf, "here:1").answer(answered, LOAD)
    ((function, key, loaded),) = mail(answered, Loaded)
    assert (function, key) == ("scurry/registry", "m")
    assert (loaded.version, loaded.lane, loaded.generation, loaded.worker) == ("2", 1, 7, "here:1")
    assert (loaded.identity, loaded.fingerprint) == ("i7", "files of toy")
    assert (loaded.bytes, loaded.max_batch_size, loaded.runtime, loaded.device) == (100, 4, "toy", "cpu")
    assert [each.name for each in loaded.signature.inputs] == ["x"]
    assert [(each.name, list(each.labels)) for each in loaded.signature.outputs] == [("y", ["cat", "dog"])]
    assert list(loaded.warnings) == ["It is a toy."]


async def test_a_failure_says_why(shop, shelf):
    """The registry learns code and sentence."""

    def broken() -> Toy:
        raise Failed("load_failed", "no such file")

    shop.toys["m"] = broken
    answered = call(LOAD)
    await Loads(shelf, "here:1").answer(answered, LOAD)
    ((_, _, failed),) = mail(answered, LoadFailed)
    assert failed == LoadFailed(
        version="2", lane=1, generation=7, identity="i7", error="load_failed", message="no such file"
    )


async def test_loading_is_said_when_it_takes_long_and_loaded_when_asked_again(shop, shelf):
    """The load goes on after `Loading`; the next Load finds it."""
    free = threading.Event()

    def slowly() -> Toy:
        assert free.wait(10)
        return Toy()

    shop.toys["m"] = slowly
    first, second = call(LOAD), call(LOAD)
    await Loads(shelf, "here:1", patience=0.01).answer(first, LOAD)
    assert mail(first, Loading) == [("scurry/registry", "m", Loading(version="2", lane=1, generation=7, identity="i7"))]
    free.set()
    await asyncio.wait_for(Loads(shelf, "here:1", patience=10).answer(second, LOAD), 10)
    assert len(mail(second, Loaded)) == 1


async def test_a_failure_that_came_late_is_told_however_late_one_asks(shop):
    """Registry and load would miss each other for ever: it asks every ten seconds, and a failure stands for two."""
    now, free = [0.0], threading.Event()
    shelf = Shelf(shop, 1000, clock=lambda: now[0])

    def slowly() -> Toy:
        assert free.wait(10)
        raise Failed("load_failed", "the store is away")

    shop.toys["m"] = slowly
    answers, first, second = Loads(shelf, "here:1", patience=0.01), call(LOAD), call(LOAD)
    await answers.answer(first, LOAD)
    assert len(mail(first, Loading)) == 1
    (loading,) = shelf._loading.of(("m", "2")).values()
    free.set()
    await asyncio.wait([loading])
    await asyncio.sleep(0)
    now[0] = 100.0
    await answers.answer(second, LOAD)
    assert [each.message for _, _, each in mail(second, LoadFailed)] == ["the store is away"]
    assert len(shop.opened) == 1


async def test_a_model_that_made_room_before_one_asked_was_loaded_all_the_same(shop, monkeypatch):
    """Of more models than the budget holds each is opened once to be registered, however many are at a time."""
    monkeypatch.setattr(loads, "WAITED_FOR", 0)
    shelf = Shelf(shop, 100)
    answers = Loads(shelf, "here:1")
    several = [
        Load(model=f"m{number}", version="1", lane=lane, spec=ModelSpec(uri="toy", identity="i"))
        for number in range(5)
        for lane in range(2)
    ]
    told = [call(load) for load in several]
    assert all(answers.at_once(*each) for each in zip(told, several, strict=True))
    assert [len(mail(each, Loading)) for each in told] == [1] * 10
    underway = [task for load in several for task in shelf._loading.of((load.model, "1")).values()]
    await asyncio.wait(underway)
    await asyncio.sleep(0)
    assert (shelf.models, len(shop.opened)) == (1, 5)
    again = [call(load) for load in several]
    assert all(answers.at_once(*each) for each in zip(again, several, strict=True))
    owed = [loaded for each in again for _, _, loaded in mail(each, Loaded)]
    assert [(loaded.lane, loaded.identity) for loaded in owed] == [(0, "i"), (1, "i")] * 5
    assert len(shop.opened) == 5


async def test_of_very_many_only_some_are_waited_for(shop, shelf, monkeypatch):
    """The others are told `Loading` at once, are loaded none the less, and what is loaded is never waited for."""
    monkeypatch.setattr(loads, "WAITED_FOR", 2)
    free = threading.Event()

    def slowly() -> Toy:
        assert free.wait(10)
        return Toy()

    several = [Load(model=name, version="1", spec=ModelSpec(uri="toy", identity=name)) for name in "abcd"]
    shop.toys.update(dict.fromkeys("abcd", slowly))
    answers, calls = Loads(shelf, "here:1", patience=10), [call(load) for load in several]
    waiting = [asyncio.create_task(answers.answer(*each)) for each in zip(calls, several, strict=True)]
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [False, False, True, True]
    assert repr(answers) == "<Loads 2 waited for>"
    assert [len(mail(each, Loading)) for each in calls[2:]] == [1, 1]
    free.set()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert [len(mail(each, Loaded)) for each in calls[:2]] == [1, 1]
    for load in several:
        await shelf.load((load.model, "1"), load.spec)
        again = call(load)
        assert answers.at_once(again, load)
        assert len(mail(again, Loaded)) == 1


async def test_unloads_and_recent_failures_are_nothing_to_wait_for(shop, shelf):
    """Both are over at once."""

    def broken() -> Toy:
        raise Failed("load_failed", "no such file")

    shop.toys["m"] = broken
    answers, first, second = Loads(shelf, "here:1"), call(LOAD), call(LOAD)
    assert not answers.at_once(first, LOAD)
    await answers.answer(first, LOAD)
    assert answers.at_once(second, LOAD)
    assert mail(first, LoadFailed) == mail(second, LoadFailed)
    assert answers.at_once(call(), Unload(model="m", version="2", identity="i7"))


async def test_a_broken_model_is_reported_as_exactly_the_registration_it_is():
    """It is no lane's load, and the sentence is of a length that travels."""
    answered = call()
    report_broken(answered, ("m", "2"), LOAD.spec, "It broke. " * 1000)
    ((function, key, failed),) = mail(answered, LoadFailed)
    assert (function, key, failed.version, failed.lane) == ("scurry/registry", "m", "2", -1)
    assert (failed.generation, failed.identity, failed.error) == (7, "i7", "model_failed")
    assert failed.message.startswith("It broke. ")
    assert len(failed.message) < 5000


async def test_what_ended_a_worker_is_opened_elsewhere_first(shop):
    """The trial's failure is the load's, and the worker has not opened it; else it is opened here as well."""
    tried: list[tuple[tuple[str, str], str]] = []

    async def trial(key, spec) -> None:
        tried.append((key, spec.identity))
        if spec.identity == "i7":
            raise Failed("load_failed", "it ended with status -11")

    shelf = Shelf(shop, 1000, trial=trial)
    for identity, apart, kind in (("i7", True, LoadFailed), ("i8", True, Loaded), ("i9", False, Loaded)):
        load = Load(model="m", version="2", apart=apart, spec=ModelSpec(uri=identity, identity=identity))
        answered = call(load)
        await Loads(shelf, "here:1").answer(answered, load)
        assert len(mail(answered, kind)) == 1
    assert tried == [(("m", "2"), "i7"), (("m", "2"), "i8")]
    assert shop.opened == ["m@2"] * 2


async def test_unpin_unloads_nothing(shelf):
    """The model may be evicted again."""
    loads_ = Loads(shelf, "here:1")
    pinned = Load(model="m", version="2", lane=1, spec=ModelSpec(uri="toy", identity="i7", pinned=True))
    await loads_.answer(call(pinned), pinned)
    unpin = Unload(model="m", version="2", identity="i7", unpin=True)
    assert loads_.at_once(call(unpin), unpin)
    assert shelf.models == 1
