"""Sequences, with router and registry, in one process."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stateful import SUM, running_sum
from tests.unit.inference.test_steps import summing
from tests.unit.inference.toys import DictPayloads, body, call, row, sent
from tests.unit.inference.toys import request as toy_request

from scurry.inference import steps
from scurry.inference.function import Inference
from scurry.inference.items import claim
from scurry.inference.lane_call import LaneCall
from scurry.inference.layouts import LayoutCache
from scurry.inference.sequences import SequenceCall
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener
from scurry.testing import Harness
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import InferenceState, ModelSpec, Request, Requests, RouterState, Update
from scurry.wire.names import INFERENCE, REGISTRY, ROUTER
from scurry.wire.tensors import to_array, to_tensor


def step(harness: Harness, sequence: Any, x: float, *, start: bool = False, end: bool = False, **more: Any) -> Request:
    """One step of a running sum."""
    asked = InferRequest(inputs=[to_tensor("x", np.full((1, 1), x, np.float32))])
    if isinstance(sequence, str):
        asked.parameters["sequence_id"].string_value = sequence
    else:
        asked.parameters["sequence_id"].int_value = sequence
    asked.parameters["sequence_start"].bool_value = start
    asked.parameters["sequence_end"].bool_value = end
    return harness.request("sum", body=asked.SerializeToString(), **more)


async def ask(harness: Harness, *requests: Request) -> list[float | str]:
    """The sums, or the codes of errors."""
    answers = []
    for reply in await harness.ask(*requests):
        assert reply is not None
        answers.append(reply.error or float(to_array(InferReply.FromString(reply.body).outputs[0])[0, 0]))
    return answers


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    """A running sum, registered as version 1."""
    inference = Inference(Shelf(Opener(), 1 << 30), DictPayloads(), clock=lambda: 0.0)
    made = Harness(inference)
    await made.register("sum", str(running_sum(tmp_path / "sum.onnx")), "1", config=SUM)
    yield made
    await inference.close()


async def test_steps_go_on_from_each_other(harness: Harness) -> None:
    """Each step gets the sum of its own sequence so far, and a sequence that ended is kept no more."""
    assert await ask(harness, step(harness, 7, 1, start=True), step(harness, "b", 10, start=True)) == [1, 10]
    assert await ask(harness, step(harness, 7, 2), step(harness, "b", 20), step(harness, 7, 3)) == [3, 30, 6]
    assert await ask(harness, step(harness, 7, 4, end=True), step(harness, "b", 30, end=True)) == [10, 60]
    assert not [key for function, key in harness.states if function != ROUTER and "/seq/" in key]
    assert await ask(harness, step(harness, 7, 4)) == ["sequence_not_found"]


async def test_many_sequences_at_once_are_as_each_alone(harness: Harness) -> None:
    """However their steps come together, late or early, each sequence's answers are those of a run by itself."""

    @settings(max_examples=25, deadline=None)
    @given(st.data())
    def interleaved(data: st.DataObject) -> None:
        values = data.draw(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=6), min_size=1, max_size=8))
        orders = [name for name, steps in enumerate(values) for _ in steps]
        calls = data.draw(st.permutations(orders))
        sizes = data.draw(st.lists(st.integers(1, 9), min_size=len(calls), max_size=len(calls)))
        runs.append((values, calls, sizes))

    runs: list[tuple[list[list[int]], list[int], list[int]]] = []
    interleaved()
    for run, (values, calls, sizes) in enumerate(runs):
        at, answers = [0] * len(values), [list[float | str]() for _ in values]
        left, size = iter(calls), iter(sizes)
        while together := list(itertools.islice(left, next(size, 0))):
            asked = []
            for name in together:
                steps, place = values[name], at[name]
                at[name] += 1
                flags = {"start": place == 0, "end": place == len(steps) - 1}
                asked.append(step(harness, f"{run}-{name}", steps[place], **flags))
            for name, answer in zip(together, await ask(harness, *asked), strict=True):
                answers[name].append(answer)
        assert answers == [list(itertools.accumulate(map(float, steps))) for steps in values]
    assert not [key for _, key in harness.states if "/seq/" in key]


async def test_what_a_step_may_not_be(harness: Harness) -> None:
    """Each mistake has its code, and hurts no other step."""
    nameless = step(harness, 0, 1, start=True)
    rows = InferRequest(inputs=[to_tensor("x", np.ones((2, 1), np.float32))])
    rows.parameters["sequence_id"].int_value = 3
    rows.parameters["sequence_start"].bool_value = True
    answers = await ask(
        harness,
        nameless,
        harness.request("sum", body=rows.SerializeToString()),
        step(harness, 1, 5, start=True),
        step(harness, 2, 5),
    )
    assert answers == ["bad_request", "input_shape", 5, "sequence_not_found"]
    assert await ask(harness, step(harness, 1, 1)) == [6]


async def test_parameters_of_sequences_are_for_models_that_keep_them(harness: Harness, tmp_path: Path) -> None:
    """Another model says so, instead of answering a step by itself."""
    await harness.register("plain", str(running_sum(tmp_path / "plain.onnx")), "1")
    asked = step(harness, 7, 1, start=True)
    asked.model = "plain"
    (reply,) = await harness.ask(asked)
    assert reply is not None
    assert (reply.error, "sequence_batching" in reply.message) == ("bad_request", True)


async def test_a_sequence_stays_with_the_version_that_began_it(harness: Harness, tmp_path: Path) -> None:
    """While that is registered; new ones begin with the new version. Then it is gone, and its sequences are."""
    await ask(harness, step(harness, "old", 1, start=True))
    await harness.register("sum", str(running_sum(tmp_path / "sum.onnx")), "2", config=SUM)
    await harness.update("sum", '{"promote": {"version": "2"}}')
    old, new = step(harness, "old", 1), step(harness, "new", 1, start=True)
    assert await ask(harness, old, new) == [2, 1]
    assert [harness.reply(each.id).version for each in (old, new)] == ["1", "2"]
    await harness.update("sum", '{"unregister": {"version": "1"}}')
    assert await ask(harness, step(harness, "old", 1), step(harness, "new", 1)) == ["sequence_not_found", 2]


async def test_a_version_that_is_registered_anew_begins_anew(harness: Harness, tmp_path: Path) -> None:
    """Its states may mean something else now."""
    await ask(harness, step(harness, 7, 1, start=True))
    await harness.register("sum", str(running_sum(tmp_path / "other.onnx")), "1", config=SUM)
    again = step(harness, 7, 1)
    assert await ask(harness, again) == ["sequence_not_found"]
    assert "registered anew" in harness.out.replies[again.id].message
    assert await ask(harness, step(harness, 7, 1, start=True)) == [1]


async def test_an_id_that_comes_again_is_not_a_step_more(harness: Harness) -> None:
    """The first answer is given again by the egress, and the sum stays what it is."""
    first = step(harness, 7, 1, start=True, id="a")
    assert await ask(harness, first, step(harness, 7, 2, id="b")) == [1, 3]
    assert await ask(harness, step(harness, 7, 2, id="b")) == [3]
    assert await ask(harness, step(harness, 7, 1, start=True, id="a"), step(harness, 7, 4)) == [1, 7]


async def test_a_call_that_is_lost_is_asked_again_in_its_place(harness: Harness, monkeypatch) -> None:
    """Behind it the next steps wait; nothing is counted twice, and nothing is left outstanding."""
    losses = 3
    finish = SequenceCall.finish

    def lose(call: SequenceCall, now_ms: int) -> bool:
        nonlocal losses
        losses -= 1
        return False if losses >= 0 else finish(call, now_ms)

    await ask(harness, step(harness, 7, 1, start=True))
    monkeypatch.setattr(SequenceCall, "finish", lose)
    assert await ask(harness, *[step(harness, 7, 1) for _ in range(5)]) == [2, 3, 4, 5, 6]
    state = RouterState.FromString(harness.states[ROUTER, "sum"])
    assert state.versions[0].away == 0


async def test_a_call_that_is_lost_for_good_is_answered(harness: Harness, monkeypatch) -> None:
    """As a dead letter, and not sent again."""
    monkeypatch.setattr(SequenceCall, "finish", lambda *_: False)
    assert await ask(harness, step(harness, 7, 1, start=True)) == ["worker_lost"]
    assert len(harness.out.dead) == 1


async def test_lanes_keep_no_sequence(harness: Harness, tmp_path: Path) -> None:
    """What is asked of other models leaves no more than what its lane has not reported yet."""
    await harness.register("plain", str(running_sum(tmp_path / "plain.onnx")), "1")
    one = np.ones((1, 1), np.float32)
    assert (await harness.infer("plain", {"x": one, "s": one}))["y"].tolist() == [[2]]
    states = [value for (function, _), value in harness.states.items() if function == INFERENCE]
    assert not [value for value in states if InferenceState.FromString(value).HasField("sequence")]


@pytest.mark.parametrize("seed", range(12))
async def test_steps_that_wait_for_their_model_keep_their_order(tmp_path: Path, seed: int) -> None:
    """Whenever they come and whenever the model does: they lie in delayed messages, which come back one by one."""
    dice = random.Random(seed)
    inference = Inference(Shelf(Opener(), 1 << 30), DictPayloads(), clock=lambda: 0.0)
    harness = Harness(inference)
    update = Update(model="sum", id="there")
    update.register.uri, update.register.version = str(running_sum(tmp_path / "sum.onnx")), "1"
    update.register.config = json.dumps(SUM)
    count, ids = 12, []
    there = dice.randrange(count)
    for at in range(count):
        if at == there:
            harness.send(REGISTRY, "sum", update)
        sent = [step(harness, name, 1, start=at == 0) for name in ("a", "b")]
        ids.append([each.id for each in sent])
        harness.send(ROUTER, "sum", Requests(requests=sent))
        if dice.random() < 0.7:
            await harness.advance(dice.randrange(60))
    await harness.advance(10_000)
    bodies = [[InferReply.FromString(harness.reply(one).body) for one in pair] for pair in ids]
    sums = [[float(to_array(reply.outputs[0])[0, 0]) for reply in pair] for pair in bodies]
    assert sums == [[float(at + 1)] * 2 for at in range(count)]
    assert RouterState.FromString(harness.states[ROUTER, "sum"]).held == 0
    await inference.close()


async def test_a_batch_is_answered_before_the_next_is_computed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers, egress and job go on with it meanwhile."""
    counts, run = [], steps._run

    def counted(*args: Any, **more: Any) -> None:
        counts.append(len(harness.out.replies) - before)
        run(*args, **more)

    before = len(harness.out.replies)
    monkeypatch.setattr(steps, "_run", counted)
    assert await ask(harness, *[step(harness, n, n, start=True) for n in range(1, 71)]) == list(range(1, 71))
    assert counts == [0, 32, 64]


async def test_a_model_that_is_let_go_during_a_step_is_closed_after_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the last who uses it, as any other."""
    closed, run = [], steps._run

    def retired(loaded: Any, *args: Any, **more: Any) -> None:
        monkeypatch.setattr(type(loaded.model), "close", lambda *models: closed.extend(models))
        loaded.retire()
        assert not closed
        run(loaded, *args, **more)

    monkeypatch.setattr(steps, "_run", retired)
    assert await ask(harness, step(harness, 7, 1, start=True)) == [1]
    assert len(closed) == 1


async def test_what_fails_unforeseen_fails_the_whole_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was computed before for another registration is forgotten with it, and is not left without an answer."""
    inference = Inference(Shelf(Opener(), 1 << 30), DictPayloads(), clock=lambda: 0.0)
    asked = [toy_request(at, body(x=row(1, 1)), sequence_id="7") for at in range(3)]
    lane_call = LaneCall(call(sent(asked[0]), sent(*asked[1:], spec=ModelSpec(uri="b", generation=2)), key="m@1/seq/7"))
    first, second = lane_call.works
    first.items = claim(first.requests, LayoutCache(summing().model))
    sequences = inference._sequences

    async def broken(*_: Any) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(sequences._shelf, "load", broken)
    await sequences._answer([(SequenceCall(lane_call), second)], lambda _: None)
    assert [item.failure.code for work in (first, second) for item in work.items] == ["internal"] * 3
    await inference.close()
