"""Sequences through the real job, over every door, and through the death of a worker and of the job."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import Stack
from tests.stateful import GRU, SUM, WIDE, alone, gru, running_sum

from scurry import Client, ScurryError

SEQUENCES, STEPS = 50, 20


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `scurry up` with two models that keep sequences."""
    folder = tmp_path_factory.mktemp("sequences")
    stack = Stack(folder / "up", "--workers", "2", "--checkpoint-interval", "3s")
    try:
        for name, build, config in (("sum", running_sum, SUM), ("gru", gru, GRU)):
            build(folder / f"{name}.onnx")
            (folder / f"{name}.json").write_text(json.dumps(config))
            stack.register(name, folder / f"{name}.onnx", "1", "--config", str(folder / f"{name}.json"))
        yield stack
    finally:
        stack.stop()


def told(sequence: int | str, at: int, steps: int) -> dict[str, Any]:
    """The parameters of one step."""
    return {"sequence_id": sequence, "sequence_start": at == 0, "sequence_end": at == steps - 1}


async def one_sum(client: Client, sequence: int | str, values: list[float]) -> list[float]:
    """A whole sequence of the running sum, step by step."""
    answers = []
    for at, value in enumerate(values):
        x = np.full((1, 1), value, np.float32)
        y = await client.infer("sum", {"x": x}, timeout=90, parameters=told(sequence, at, len(values)))
        answers.append(float(y["y"][0, 0]))
    return answers


async def test_steps_go_on_from_each_other(own: Stack) -> None:
    """Two sequences, one named by a number and one by text, each with its own sum; what has ended is gone."""
    async with Client(own.redis_url) as client:
        sums = await asyncio.gather(one_sum(client, 7, [1, 2, 3]), one_sum(client, "seven", [10, 20, 30]))
        assert sums == [[1, 3, 6], [10, 30, 60]]
        with pytest.raises(ScurryError, match="There is no sequence '7'") as failure:
            await client.infer("sum", {"x": np.ones((1, 1), np.float32)}, parameters={"sequence_id": 7})
        assert failure.value.code == "sequence_not_found"
