"""Where a call's time goes."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from tests.stateful import SUM, running_sum
from tests.unit.inference.toys import DictPayloads, Toy, body, call, mail, request, row, sent

from scurry.inference import laps, pipeline
from scurry.inference.function import Inference
from scurry.inference.pipeline import Pipeline
from scurry.inference.response_cache import ResponseCache
from scurry.inference.shelf import Shelf
from scurry.inference.stages import StageCounts, queued
from scurry.runtimes.catalog import Opener
from scurry.runtimes.options import Options
from scurry.runtimes.port import Port
from scurry.telemetry.prometheus import Bounded, page
from scurry.wire.messages_pb2 import Done, ModelSpec


def values(counts: StageCounts) -> dict[str, float]:
    """Each line and its number."""
    lines = [line for line in page(counts.figures()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_a_call_is_counted_by_stage_code_and_size(shelf, payloads):
    """Each request is charged the time of its batch; one that is wrong counts under its code."""
    counts = StageCounts(Bounded(9))
    inference = Inference(shelf, payloads, note=counts.note)
    good = [request(at, body(x=row(1, 2))) for at in range(3)]
    for _ in range(2):
        await inference.serve([call(sent(*good, request(9, b"junk")))], lambda _: None)
    found = values(counts)
    (model,) = {name.split('model="')[1].split('"')[0] for name in found}
    labels = next(name for name in found if "requests_total" in name).split("{")[1].split(",code")[0]
    assert found[f'scurry_worker_requests_total{{{labels},code="ok"}}'] == 6
    assert sum(value for name, value in found.items() if "requests_total" in name) == 8
    for stage in ("input", "compute", "output"):
        assert found[f'scurry_worker_stage_seconds_total{{{labels},stage="{stage}"}}'] > 0
    assert found[f"scurry_worker_batch_size_sum{{{labels}}}"] == 6
    assert model


async def test_models_beyond_so_many_share_their_counts(shelf, payloads):
    """Nothing of theirs is lost."""
    counts = StageCounts(Bounded(1))
    counts._named.label("first")
    inference = Inference(shelf, payloads, note=counts.note)
    await inference.serve([call(sent(request(0, body(x=row(1, 2)))))], lambda _: None)
    assert values(counts)['scurry_worker_requests_total{model="other",version="",code="ok"}'] == 1


@pytest.mark.parametrize(("waited", "here", "seconds"), [([], 0, 0), ([30, 2], 10, 0.04), ([5, 1, 25, 4], 15, 0.04)])
def test_the_queue_is_what_was_waited_before(waited, here, seconds):
    """By message; what came later than it seems has not waited."""
    assert queued(waited, here) == pytest.approx(seconds)


class Clock:
    """A clock that goes on only when something is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(laps, "perf_counter", lambda: self.now)

    def after(self, seconds, value):
        """Something took so long."""
        self.now += seconds
        return value


def seconds_of(done: Done) -> list[int]:
    """Whole seconds of input, compute and output that a report tells."""
    (told,) = done.answered
    return [round(each / 1e6) for each in (told.input_micros, told.compute_micros, told.output_micros)]


@pytest.mark.parametrize("apart", [False, True])
async def test_each_request_is_charged_the_model_that_its_batch_asked(inference, shop, monkeypatch, apart):
    """In the loop and in a thread of the model's own: two batches of 4 and 2, each 10 s long, for 6 requests."""
    clock = Clock(monkeypatch)
    toy = Toy(lambda x: clock.after(10, [x + 1]))
    if apart:
        toy.thread = ThreadPoolExecutor(1)
    shop.toys["m"] = lambda: toy
    asked = call(sent(*(request(at, body(x=row(at, 2))) for at in range(6)), report=True))
    await inference.serve([asked], lambda _: None)
    ((_, _, done),) = mail(asked, Done)
    assert seconds_of(done) == [0, 6 * 20, 0]
    if apart:
        toy.thread.shutdown()


async def test_what_is_around_a_model_is_not_its_own_time(inference, shop, monkeypatch):
    """Preparing is input, finishing is output; a request that fails is charged nothing but its way."""
    clock = Clock(monkeypatch)
    toy = Toy(lambda x: clock.after(10, [x + 1]))
    toy.baseline = None
    finish = SimpleNamespace(gives=toy.outputs, apply=lambda output: clock.after(2, [output]))
    made = Pipeline(toy, [None], [finish])
    monkeypatch.setattr(pipeline, "_made", lambda _, arrays, __: clock.after(3, arrays[0]))
    made._prepared = [SimpleNamespace(takes=toy.inputs)]
    shop.toys["m"] = lambda: made
    good = [request(at, body(x=row(at, 2))) for at in range(3)]
    asked = call(sent(*good, request(9, b"junk"), report=True))
    await inference.serve([asked], lambda _: None)
    ((_, _, done),) = mail(asked, Done)
    assert seconds_of(done) == [3 * 3, 3 * 10, 3 * 2]
    assert dict(done.answered[0].errors) == {"bad_request": 1}
    assert set(done.answered[0].failed_millis) == {"bad_request"}
    assert done.answered[0].last_millis == 100_000


async def test_what_computes_in_a_child_process_has_stages(inference, children, monkeypatch):
    """One request after the other: each waits for all of its call."""
    clock = Clock(monkeypatch)
    run = children.run

    async def slow(*args, **more):
        clock.now += 5
        return await run(*args, **more)

    monkeypatch.setattr(children, "run", slow)
    asked = call(sent(*(request(at, body(x=row(1, 2))) for at in range(2)), solo=True, report=True), key="m@1/solo/t")
    await inference.serve([asked], lambda _: None)
    ((_, _, done),) = mail(asked, Done)
    assert seconds_of(done) == [0, 2 * 10, 0]


async def test_steps_of_sequences_have_stages(tmp_path, monkeypatch):
    """Each is charged the whole time of the batch that it shares; the worker computed that once."""
    clock = Clock(monkeypatch)
    inference = Inference(Shelf(Opener(), 1 << 30), DictPayloads(), clock=lambda: 5.0)
    spec = ModelSpec(uri=str(running_sum(tmp_path / "sum.onnx")), runtime="onnx", config=json.dumps(SUM))
    asked = []
    for at in range(2):
        first = request(at, body(x=row(1)), sequence_id=f"{at}", sequence_start=True)
        asked.append(call(sent(first, spec=spec), key=f"m@1/seq/{at}"))
    loaded = await inference._shelf.load(("m", "1"), spec)
    run = loaded.model.run
    monkeypatch.setattr(loaded.model, "run", lambda *args: clock.after(4, run(*args)))
    await inference.serve(asked, lambda _: None)
    reports = [done for one in asked for _, _, done in mail(one, Done)]
    assert [seconds_of(done) for done in reports] == [[0, 4, 0], [0, 4, 0]]
    assert [round(done.busy_micros / 1e6) for done in reports] == [2, 2]
    await inference.close()


async def test_stages_are_no_longer_than_the_call_was_here(inference, shop, payloads):
    """By the real clock, with inputs that are fetched, a model in a thread, and outputs that are parked."""
    toy = Toy(lambda x: [x.repeat(40_000, 1)], outputs=(Port("y", "FP32", (-1, 80_000)),))
    toy.baseline, toy.thread = None, ThreadPoolExecutor(1)
    shop.toys["m"] = lambda: toy
    payloads.parked["ns:payload:r0:in:body"] = body(x=row(1, 2))
    parked = request(0, b"", payload="ns:payload:r0:in:body")
    asked = call(sent(parked, request(1, body(x=row(1, 2))), report=True))
    start = time.perf_counter()
    await inference.serve([asked], lambda _: None)
    whole = time.perf_counter() - start
    ((_, _, done),) = mail(asked, Done)
    (told,) = done.answered
    split = (told.input_micros, told.compute_micros, told.output_micros)
    assert told.ok == 2
    assert min(split) > 0
    assert sum(split) <= told.ok * whole * 1e6
    toy.thread.shutdown()


async def test_hits_are_counted_and_charged_nothing(shelf, shop, payloads):
    """What memory answers had no stage; what it had not is told as well."""
    toy = Toy()
    toy.options = Options(response_cache=True)
    shop.toys["m"] = lambda: toy
    inference = Inference(shelf, payloads, cache=ResponseCache(1 << 20))
    told = []
    for _ in range(2):
        asked = call(sent(*(request(at, body(x=row(at, 2))) for at in range(3)), report=True))
        await inference.serve([asked], lambda _: None)
        told += [each for _, _, done in mail(asked, Done) for each in done.answered]
    assert [(each.ok, each.cache_hits, each.cache_misses) for each in told] == [(3, 0, 3), (3, 3, 0)]
    assert (told[1].input_micros, told[1].compute_micros, told[1].output_micros) == (0, 0, 0)
    await inference.close()
