"""A worker that dies while it computes costs its callers time, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from tests.conftest import Stack

from scurry.client.client import Client

STEPS, WIDE = 24, 1024


def slow_model(path: Path) -> Path:
    """Adds nothing to its input, after some hundred milliseconds of matrix products with the unit matrix."""
    constants = {
        "eye": np.eye(WIDE, dtype=np.float32),
        "big": np.array([512, WIDE], dtype=np.int64),
        "first": np.array([0], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
    }
    nodes = [helper.make_node("Expand", ["x", "big"], ["t0"])]
    nodes += [helper.make_node("MatMul", [f"t{n}", "eye"], [f"t{n + 1}"]) for n in range(STEPS)]
    nodes += [
        helper.make_node("Slice", [f"t{STEPS}", "first", "one", "first"], ["row"]),
        helper.make_node("Slice", ["row", "first", "one", "one"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def processes(stack: Stack) -> dict[str, dict[str, int]]:
    """Pid and restarts of each process just now."""
    found: dict[str, dict[str, int]] = json.loads((stack.dir / "scurry.json").read_text())["processes"]
    return found


def wait_for_restart(stack: Stack, name: str, seconds: float) -> dict[str, dict[str, int]]:
    """The processes, once one of them was started again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = processes(stack)
        if found[name]["restarts"]:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{name} was not started again within {seconds:g} s")


def restarted_at(stack: Stack) -> int:
    """When Flink last restarted the job; 0: never."""
    with urllib.request.urlopen(f"{stack.info['ui_url']}/jobs") as answer:
        (job,) = json.load(answer)["jobs"]
    with urllib.request.urlopen(f"{stack.info['ui_url']}/jobs/{job['id']}") as answer:
        return int(json.load(answer)["timestamps"]["RESTARTING"])


async def ask_through_a_death(stack: Stack, count: int) -> list[float]:
    """Send requests, kill a worker while they are computed, return every answer."""
    async with Client(stack.redis_url) as client:
        asking = [
            asyncio.create_task(client.infer("slow", {"x": np.full((1, 1), n, np.float32)}, timeout=90))
            for n in range(count)
        ]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        os.kill(processes(stack)["worker-0"]["pid"], signal.SIGKILL)
        return [float(answer["y"][0, 0]) for answer in await asyncio.gather(*asking)]


async def test_requests_in_a_dying_worker_are_answered_by_another(tmp_path: Path) -> None:
    """Each of them gets its own answer, the job does not restart, and the worker comes back."""
    stack = Stack(tmp_path / "up", "--workers", "2")
    try:
        stack.register("slow", slow_model(tmp_path / "slow.onnx"))
        before = processes(stack)
        answers = await ask_through_a_death(stack, 24)
        assert answers == [float(n) for n in range(24)]
        after = await asyncio.to_thread(wait_for_restart, stack, "worker-0", 30)
        assert after["job"] == before["job"]
        assert after["worker-0"]["pid"] != before["worker-0"]["pid"]
        assert await asyncio.to_thread(restarted_at, stack) == 0
    finally:
        assert stack.stop() == 0
