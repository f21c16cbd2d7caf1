"""Registers the models of the benchmark, one or a thousand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import Register, Update

LIMIT_S = 300


def register_one(at: dict[str, Any], name: str, file: Path, max_batch_size: int) -> None:
    """Register one model and wait until it is ready."""
    config = json.dumps({"max_batch_size": max_batch_size})

    async def register() -> None:
        async with Client(at["redis_url"]) as client:
            await client.update(_update(name, file, config), timeout=LIMIT_S)

    asyncio.run(register())


def register_many(at: dict[str, Any], files: Sequence[Path], runtime: str = "onnx") -> dict[str, float]:
    """Register all at once, wait until the last is ready, then ask each of them."""
    return asyncio.run(_register_many(at["redis_url"], files, runtime))


async def _register_many(redis_url: str, files: Sequence[Path], runtime: str) -> dict[str, float]:
    async with Client(redis_url) as client:
        start = time.perf_counter()
        config = json.dumps({"max_batch_size": 64})
        updates = (client.update(_update(file.stem, file, config, runtime), timeout=LIMIT_S) for file in files)
        outcomes = await asyncio.gather(*updates, return_exceptions=True)
        seconds = time.perf_counter() - start
        one = {"x": np.zeros((1, 16), np.float32)}
        asked = await asyncio.gather(*(client.infer(file.stem, one) for file in files), return_exceptions=True)
    return {
        "registration_s": seconds,
        "registered_ok": len(outcomes) - _failed(outcomes),
        "asked_ok": len(asked) - _failed(asked),
    }


def _failed(outcomes: Sequence[object]) -> int:
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, ScurryError):
            raise outcome
    return sum(isinstance(outcome, ScurryError) for outcome in outcomes)


def _update(name: str, file: Path, config: str, runtime: str = "onnx") -> Update:
    return Update(model=name, register=Register(version="1", uri=str(file), runtime=runtime, config=config))
