"""Models from a store: fetched once, and served from the copy when the store is away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tests.conftest import Stack
from tests.stores import BUCKET, s3_server, web_server

from scurry.client.client import Client


def adder(number: float) -> bytes:
    """A model that adds a number."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "n"], ["y"])],
        "adder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])],
        [numpy_helper.from_array(np.array([number], np.float32), "n")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


async def ask(stack: Stack, model: str) -> list[list[float]]:
    """What it makes of zeros."""
    async with Client(stack.redis_url) as client:
        answer = await client.infer(model, {"x": np.zeros((1, 2), np.float32)}, timeout=60)
        return answer["y"].tolist()


def kill_worker(stack: Stack) -> None:
    """End the worker and wait for the next one."""
    state = stack.dir / "scurry.json"
    os.kill(json.loads(state.read_text())["processes"]["worker-0"]["pid"], signal.SIGKILL)
    end = time.monotonic() + 30
    while not json.loads(state.read_text())["processes"]["worker-0"]["restarts"]:
        assert time.monotonic() < end, "the worker was not started again"
        time.sleep(0.1)


async def test_a_model_from_s3_outlives_worker_and_store(tmp_path: Path) -> None:
    """Registered from a bucket or a web server it answers; with both gone and the worker killed, from the copy.

    What the copies do not hold is refused with the reason, and so is what lies below no allowed source.
    """
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "two.onnx").write_bytes(adder(2))
    with s3_server() as store, web_server(tmp_path / "web") as web:
        store.put({"repo/net/1/model.onnx": adder(1), "repo/net/config.pbtxt": b"max_batch_size: 4"})
        sources = ("--sources", f"s3://{BUCKET}/repo,{web.url}")
        stack = Stack(tmp_path / "up", "--workers", "1", *sources, env=store.environ)
        try:
            stack.register("net", f"s3://{BUCKET}/repo")
            stack.register("two", f"{web.url}/two.onnx")
            assert [await ask(stack, "net"), await ask(stack, "two")] == [[[1, 1]], [[2, 2]]]
            outside = stack.run("models", "register", "no", "--uri", f"s3://{BUCKET}/other", check=False)
            assert (outside.returncode, "SCURRY_SOURCES" in outside.stderr) == (1, True)
            store.kill()
            web.kill()
            await asyncio.to_thread(kill_worker, stack)
            assert [await ask(stack, "net"), await ask(stack, "two")] == [[[1, 1]], [[2, 2]]]
            away = stack.run("models", "register", "late", "--uri", f"s3://{BUCKET}/repo/net", check=False)
            assert (away.returncode, "cannot be fetched" in away.stderr) == (1, True)
        finally:
            assert stack.stop() == 0
