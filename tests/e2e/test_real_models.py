"""Models that nobody here made answer through the job as their engine does in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.real_models import MODELS, real_model

from scurry import Client

CALLERS = 200
numbers = np.random.default_rng(11)
INPUTS = {
    "magika": ("bytes", numbers.integers(0, 257, (8, 1, 2048)).astype(np.int32)),
    "text-boxes": ("x", numbers.random((4, 1, 3, 96, 160), np.float32)),
    "text-turned": ("x", numbers.random((8, 1, 3, 48, 192), np.float32)),
}
"""What the input is called, and a few different requests: 200 callers share them."""


def by_onnxruntime(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The engine itself, in this process."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda given: session.run(None, {name: given})[0]


def by_openvino(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Likewise, in FP32 as we run it."""
    openvino = pytest.importorskip("openvino")
    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: compiled([given])[0].copy()


@pytest.mark.parametrize(("runtime", "engine"), [("onnx", by_onnxruntime), ("openvino", by_openvino)])
@pytest.mark.parametrize("name", MODELS)
async def test_it_answers_as_its_engine_does(
    stack: Stack, tmp_path: Path, name: str, runtime: str, engine: Callable[[Path], Callable[[np.ndarray], np.ndarray]]
) -> None:
    """For one caller and for 200 at once."""
    path, model = real_model(name, tmp_path), f"real-{name}-{runtime}"
    stack.register(model, path, "1", "--runtime", runtime)
    run = engine(path)
    given, requests = INPUTS[name]
    expected = [run(each) for each in requests]
    async with Client(stack.redis_url, retries=20) as client:  # on busy cores some are `overloaded` first
        alone = await client.infer(model, {given: requests[0]}, timeout=60)
        asked = [at % len(expected) for at in range(CALLERS)]
        answers = await asyncio.gather(*(client.infer(model, {given: requests[at]}, timeout=120) for at in asked))
    for at, answer in [(0, alone), *zip(asked, answers, strict=True)]:
        np.testing.assert_allclose(next(iter(answer.values())), expected[at], rtol=1e-3, atol=1e-5)
