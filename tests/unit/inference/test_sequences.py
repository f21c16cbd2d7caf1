"""Sequences, with router and registry, in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.stateful import SUM, running_sum
from tests.unit.inference.toys import DictPayloads

from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener
from scurry.testing import Harness
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Request
from scurry.wire.names import ROUTER
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
