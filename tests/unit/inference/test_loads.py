"""Answers to Load."""

from __future__ import annotations

import asyncio
import threading

from tests.unit.inference.toys import Toy, call, mail

from scurry.inference.loads import answer_load, report_broken
from scurry.inference.shelf import Shelf
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Load, Loaded, LoadFailed, Loading, ModelSpec

LOAD = Load(model="m", version="2", lane=1, spec=ModelSpec(uri="toy", generation=7, identity="i7"))


async def test_loaded_says_what_was_opened(shop, shelf):
    """The registry learns signature, memory, rows, runtime, device and worker."""
    toy = Toy()
    toy.warnings.append("It is a toy.")
    shop.toys["m"] = lambda: toy
    answered = call(LOAD)
    await answer_load(answered, LOAD, shelf, "here:1")
    ((function, key, loaded),) = mail(answered, Loaded)
    assert (function, key) == ("scurry/registry", "m")
    assert (loaded.version, loaded.lane, loaded.generation, loaded.worker) == ("2", 1, 7, "here:1")
    assert (loaded.identity, loaded.fingerprint) == ("i7", "files of toy")
    assert (loaded.bytes, loaded.max_batch_size, loaded.runtime, loaded.device) == (100, 4, "toy", "cpu")
    assert [each.name for each in loaded.signature.inputs] == ["x"]
    assert list(loaded.warnings) == ["It is a toy."]


async def test_a_failure_says_why(shop, shelf):
    """The registry learns code and sentence."""

    def broken() -> Toy:
        raise Failed("load_failed", "no such file")

    shop.toys["m"] = broken
    answered = call(LOAD)
    await answer_load(answered, LOAD, shelf, "here:1")
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
    await answer_load(first, LOAD, shelf, "here:1", patience=0.01)
    assert mail(first, Loading) == [("scurry/registry", "m", Loading(version="2", lane=1, generation=7, identity="i7"))]
    free.set()
    await asyncio.wait_for(answer_load(second, LOAD, shelf, "here:1", patience=10), 10)
    assert len(mail(second, Loaded)) == 1


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
        await answer_load(answered, load, shelf, "here:1")
        assert len(mail(answered, kind)) == 1
    assert tried == [(("m", "2"), "i7"), (("m", "2"), "i8")]
    assert shop.opened == ["m@2"] * 2
