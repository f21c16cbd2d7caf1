"""A change that was answered is in force for whoever asks afterwards, also while a restored job makes it again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.e2e.test_kill import checkpoints
from tests.e2e.test_up import save_model

from scurry.client.client import Client
from scurry.wire.messages_pb2 import Register, Update


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """One of its own."""
    stack = Stack(tmp_path / "up", "--workers", "1")
    try:
        yield stack
    finally:
        stack.stop()


def process(stack: Stack, name: str) -> int:
    """Its pid as it is now."""
    found: int = json.loads((stack.dir / "scurry.json").read_text())["processes"][name]["pid"]
    return found


async def test_nobody_who_asks_afterwards_gets_what_was_replaced(own: Stack, tmp_path: Path) -> None:
    """The worker stands still meanwhile, so that the replacement is not loaded at once."""

    def registration(factor: int) -> Update:
        uri = str(save_model(tmp_path / f"{factor}.onnx", factor))
        return Update(model="m", register=Register(version="1", uri=uri, runtime="onnx"))

    async def ask() -> float:
        return float((await client.infer("m", {"x": np.ones((1, 4), np.float32)}, timeout=60))["y"][0, 0])

    async with Client(own.redis_url) as client:
        await client.update(registration(2))
        assert await ask() == 2
        known = checkpoints(own)
        async with asyncio.timeout(60):
            while len(checkpoints(own) - known) < 2:  # noqa: ASYNC110 - one that began after that is complete
                await asyncio.sleep(0.05)
        await client.update(registration(5))
        before, worker = (await client.job())["started"], process(own, "worker-0")
        os.kill(worker, signal.SIGSTOP)
        try:
            os.kill(process(own, "job"), signal.SIGKILL)
            async with asyncio.timeout(60):
                while (await client.job()).get("started") == before:  # noqa: ASYNC110 - another process says so
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # everything that was there is read
            asked = [asyncio.create_task(ask()) for _ in range(8)]
            await asyncio.sleep(2)
        finally:
            os.kill(worker, signal.SIGCONT)
        assert await asyncio.gather(*asked) == [5.0] * 8
