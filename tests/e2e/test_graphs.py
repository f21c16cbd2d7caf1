"""Models that are made of others, through the whole job."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import Stack
from tests.e2e.test_batches import save_sum
from tests.e2e.test_reread import process

from scurry.client.client import Client
from scurry.wire.errors import NotFound
from scurry.wire.messages_pb2 import Register, Update

REPOSITORY_CONFIG = """
platform: "ensemble"
max_batch_size: 16
input [ { name: "text" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "total" data_type: TYPE_FP32 dims: [] }, { name: "sixfold" data_type: TYPE_FP32 dims: [ -1 ] } ]
ensemble_scheduling { step [
  { model_name: "twofold" model_version: -1
    input_map { key: "ids" value: "text" } output_map { key: "tokens" value: "twice" } },
  { model_name: "threefold" model_version: -1
    input_map { key: "ids" value: "twice" }
    output_map { key: "tokens" value: "sixfold" } output_map { key: "sum" value: "total" } }
] }
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """One of its own, with a Triton repository of two models and what is made of them."""
    repository = tmp_path / "repository"
    for name, factor in (("twofold", 2), ("threefold", 3)):
        (repository / name / "1").mkdir(parents=True)
        save_sum(repository / name / "1" / "model.onnx", factor)
    (repository / "sixfold" / "1").mkdir(parents=True)
    (repository / "sixfold" / "config.pbtxt").write_text(REPOSITORY_CONFIG)
    stack = Stack(tmp_path / "up", "--workers", "2", "--models", str(repository))
    try:
        yield stack
    finally:
        stack.stop()


async def ask(client: Client, text: np.ndarray[Any, Any]) -> None:
    """The answer is that of both steps."""
    answer = await client.infer("sixfold", {"text": text}, timeout=120)
    np.testing.assert_array_equal(answer["sixfold"], 6 * text)
    np.testing.assert_allclose(answer["total"], 6 * text.sum(1), rtol=1e-5)


async def test_an_ensemble_of_a_triton_repository_survives_the_loss_of_anything(own: Stack) -> None:
    """Small and large tensors; a worker, the functions and the job are killed while hundreds are on their way."""
    texts = [np.arange(1 + at % 9, dtype=np.float32)[None] for at in range(600)]
    async with Client(own.redis_url) as client:
        await asyncio.gather(*(ask(client, text) for text in texts[:50]))
        await ask(client, np.arange(150_000, dtype=np.float32)[None] % 7)  # parked in all its steps
        for name in ("worker-0", "functions", "job"):
            asked = [asyncio.create_task(ask(client, text)) for text in texts]
            await asyncio.sleep(0.05)
            os.kill(process(own, name), signal.SIGKILL)
            await asyncio.gather(*asked)


async def test_a_graph_without_a_file(stack: Stack, tmp_path: Path) -> None:
    """Registered with its config; a step that is missing is named; it begins to work when that is there."""
    config = {
        "input": [{"name": "text", "data_type": "TYPE_FP32", "dims": [-1, -1]}],
        "output": [{"name": "total", "data_type": "TYPE_FP32", "dims": [-1]}],
        "ensemble_scheduling": {
            "step": [{"model_name": "part", "input_map": {"ids": "text"}, "output_map": {"sum": "total"}}]
        },
    }
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(config))
    done = stack.run("models", "register", "whole", "--runtime", "ensemble", "--config", str(path))
    assert "ready" in done.stdout
    text = np.ones((1, 3), np.float32)
    async with Client(stack.redis_url) as client:
        with pytest.raises(NotFound, match=r"Step 1 \(model 'part'\)"):
            await client.infer("whole", {"text": text}, timeout=60)
        part = Register(version="1", uri=str(save_sum(tmp_path / "part.onnx", 4)), runtime="onnx")
        await client.update(Update(model="part", register=part))
        assert (await client.infer("whole", {"text": text}, timeout=60))["total"].tolist() == [12]
