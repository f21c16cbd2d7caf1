"""Large tensors of callers on this machine: through memory, and through whatever ends meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.conftest import Stack
from tests.e2e.test_up import eventually

from scurry.client.client import Client
from scurry.serving.shared_memory import SharedMemory
from scurry.settings import UpSettings

MEMORY = Path("/dev/shm")
FLOAT = TensorProto.FLOAT
WIDTH, CALLERS = 8192, 12
pytestmark = pytest.mark.skipif(not MEMORY.is_dir(), reason="this system has no /dev/shm")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """One of its own, before a model with large inputs and small outputs."""
    stack = Stack(tmp_path / "up", "--workers", "1")
    try:
        stack.register("largest", save(tmp_path / "m.onnx"))
        yield stack
    finally:
        stack.stop()


def save(path: Path) -> Path:
    """A model that tells the largest of each row."""
    x, y = (helper.make_tensor_value_info(name, FLOAT, ["N", size]) for name, size in (("x", WIDTH), ("y", 1)))
    node = helper.make_node("ReduceMax", ["x"], ["y"], axes=[1], keepdims=1)
    graph = helper.make_graph([node], "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def folder_of(stack: Stack) -> Path:
    """Where callers of a stack leave large tensors."""
    folder = SharedMemory(UpSettings(dir=str(stack.dir)), stack.dir.resolve()).folder
    assert folder is not None
    return folder


def left_in(folder: Path) -> list[str]:
    """Payloads there just now."""
    return [str(each) for each in folder.glob("*/*")]


def payload_keys(stack: Stack) -> list[str]:
    """Payloads in Redis just now."""
    import redis

    with redis.Redis.from_url(stack.redis_url) as server:
        return [key.decode() for key in server.scan_iter("scurry:payload:*")]


def row(seed: int) -> np.ndarray:
    """32 KB that differ."""
    return np.random.default_rng(seed).random((1, WIDTH), np.float32)


def ask_over_http(stack: Stack, seed: int) -> bool:
    """Whether the gateway gives the right answer to binary tensors."""
    data = row(seed)
    tensor = {"name": "x", "datatype": "FP32", "shape": data.shape, "parameters": {"binary_data_size": data.nbytes}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    request = urllib.request.Request(
        f"{stack.http_url}/v2/models/largest/infer", head + data.tobytes(),
        {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as response:
        body, length = response.read(), int(response.headers["Inference-Header-Content-Length"])
    return body[length:] == data.max().tobytes()


def process(stack: Stack, name: str) -> int:
    """Its pid as it is now."""
    found: int = json.loads((stack.dir / "scurry.json").read_text())["processes"][name]["pid"]
    return found


def test_what_is_waited_for_goes_through_memory_and_the_rest_through_redis(own: Stack) -> None:
    """Right answers either way, nothing left in memory, and nothing of the folder when all has ended."""
    folder = folder_of(own)
    assert all(ask_over_http(own, seed) for seed in range(8))
    assert left_in(folder) == []
    assert not [key for key in payload_keys(own) if ":in:" in key]

    async def durable() -> None:
        async with Client(own.redis_url) as client:
            assert (await client.infer("largest", {"x": row(1)}, id="mine"))["y"] == row(1).max()
            assert (await client.infer("largest", {"x": row(2)}))["y"] == row(2).max()

    asyncio.run(durable())
    assert [key for key in payload_keys(own) if key.startswith("scurry:payload:mine:in:x=")]
    assert own.stop() == 0
    assert not folder.exists()


async def test_nothing_is_lost_when_anything_is_killed(own: Stack) -> None:
    """Worker, functions and job, one after the other, under callers that leave large tensors."""
    wrong, asked, stopping = [], 0, asyncio.Event()

    async def caller(client: Client, seed: int) -> None:
        nonlocal asked
        while not stopping.is_set():
            asked, seed = asked + 1, seed + CALLERS
            outputs = await client.infer("largest", {"x": row(seed)}, timeout=120)
            if outputs["y"] != row(seed).max():
                wrong.append(seed)

    async with Client(own.redis_url) as client:
        callers = [asyncio.create_task(caller(client, seed)) for seed in range(CALLERS)]
        for name in ("worker-0", "functions", "job"):
            await asyncio.sleep(1.5)
            async with asyncio.timeout(30):
                while not left_in(folder_of(own)):  # noqa: ASYNC110 - until one is on its way
                    await asyncio.sleep(0.001)
            os.kill(process(own, name), signal.SIGKILL)
            goal, deadline = asked + 2 * CALLERS, asyncio.get_running_loop().time() + 90
            while asked < goal:
                assert asyncio.get_running_loop().time() < deadline, f"answers again after {name} was killed"
                await asyncio.sleep(0.05)
        stopping.set()
        await asyncio.wait_for(asyncio.gather(*callers), 120)
        assert wrong == []
        assert left_in(folder_of(own)) == []
    assert asked > 20 * CALLERS


def test_what_a_killed_gateway_left_is_removed(own: Stack) -> None:
    """By the next one, when it comes."""
    folder = folder_of(own)
    assert ask_over_http(own, 1)
    (place,) = (each for each in folder.iterdir() if each.is_dir())
    (place / "left").write_bytes(b"in flight when it was killed")
    os.kill(process(own, "gateway"), signal.SIGKILL)
    eventually(lambda: not place.exists(), 30, "the former gateway's directory removed")
    eventually(lambda: ask_over_http(own, 2), 30, "the next gateway answers")
