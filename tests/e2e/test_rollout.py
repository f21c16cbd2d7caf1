"""A rollout goes its steps by itself, over a killed job; a bad version goes back by itself."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import redis
from onnx import TensorProto, helper, numpy_helper
from tests.conftest import Stack
from tests.e2e.test_kill import WAIT_S, checkpoints, java, wait

from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_tensor

MODEL = "rolled"
REPLIES = "scurry:replies:rollout-test"
AT_ONCE = 20
MIN_REQUESTS = 20


class Load(threading.Thread):
    """Requests that nobody's client writes, so many outstanding at once, until told to stop."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(daemon=True)
        self.door = redis.Redis.from_url(redis_url, protocol=2)
        self.stopping = threading.Event()
        self.sent = 0

    def run(self) -> None:
        """Send."""
        body = InferRequest(inputs=[to_tensor("x", np.array([[50]], np.float32))]).SerializeToString()
        while not self.stopping.wait(0.005):
            if self.sent - self.door.xlen(REPLIES) < AT_ONCE:
                fields = {"model": MODEL, "id": f"roll-{self.sent}", "request": body, "reply": REPLIES, "keep": "0"}
                self.door.xadd("scurry:requests", fields)
                self.sent += 1

    def stop(self) -> Counter[tuple[str, str]]:
        """Send no more; how many answers there were by version and code."""
        self.stopping.set()
        self.join()
        wait("everything is answered", 30, lambda: self.door.xlen(REPLIES) >= self.sent)
        answers = [fields for _, fields in self.door.xrange(REPLIES)]
        return Counter((one[b"version"].decode(), one.get(b"error", b"").decode()) for one in answers)


def save(path: Path, *, good: bool) -> None:
    """A good model doubles a number; a bad one looks it up in a table of ten, and fails where that has no place."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy")
    nodes, given = [helper.make_node("Add", ["x", "x"], ["y"])], []
    if not good:
        given = [numpy_helper.from_array(np.arange(10, dtype=np.float32), "table")]
        cast = helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64)
        nodes = [cast, helper.make_node("Gather", ["table", "i"], ["y"])]
    graph = helper.make_graph(nodes, "m", [x], [y], given)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A `scurry up` that may be broken: version 1 takes all requests, 2 is as good, 3 is bad."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--checkpoint-interval", "1s")
    try:
        for version in ("1", "2", "3"):
            save(tmp_path / f"{version}.onnx", good=version != "3")
            stack.register(MODEL, tmp_path / f"{version}.onnx", version)
            if version == "1":
                stack.run("models", "promote", MODEL, "1")
        yield stack
    finally:
        stack.stop()


def status(stack: Stack) -> dict[str, Any]:
    """Where the rollout stands."""
    found: dict[str, Any] = json.loads(stack.run("models", "rollout", MODEL, "--status", "--json").stdout)
    return found


def routes(stack: Stack) -> dict[str, int]:
    """The shares."""
    record = json.loads(stack.run("models", "show", MODEL, "--json").stdout)
    return dict(record["routes"])


def test_a_good_version_gets_all_over_a_kill_and_a_bad_one_goes_back(own: Stack) -> None:
    """The step is that of before the kill, and no request fails; the bad one fails no more than the stated number."""
    load = Load(own.redis_url)
    load.start()
    guards = ("--min-requests", str(MIN_REQUESTS), "--max-error-rate", "0.1", "--max-disagreement", "0.1")
    own.run("models", "rollout", MODEL, "2", "--steps", "20,60,100", "--hold", "4s", "--compare", "50", *guards)
    wait("the second step", 30, lambda: status(own)["step"] == 2)
    old = checkpoints(own)
    wait("a checkpoint", 30, lambda: checkpoints(own) - old)
    pid = java(own)
    os.kill(pid, signal.SIGKILL)
    wait("the job is back", WAIT_S, lambda: java(own) not in (0, pid))
    seen = [status(own)]
    while seen[-1]["state"] == "running" and len(seen) < 200:
        time.sleep(0.2)
        seen.append(status(own))
    assert (seen[-1]["state"], seen[-1]["percent"]) == ("finished", 100), seen[-1]
    assert {one["step"] for one in seen} <= {2, 3}
    assert set(routes(own)) == {"2"}
    answers = load.stop()
    assert {code for _, code in answers} == {""}
    assert answers["2", ""] > MIN_REQUESTS

    load = Load(own.redis_url)
    load.sent = load.door.xlen(REPLIES)
    load.start()
    own.run("models", "rollout", MODEL, "3", "--steps", "30,100", "--hold", "10m", *guards[:4])
    wait("it goes back", 30, lambda: status(own)["state"] == "rolled_back")
    assert set(routes(own)) == {"2"}
    answers = load.stop()
    failed = sum(count for (_, code), count in answers.items() if code)
    assert 0 < failed <= MIN_REQUESTS + AT_ONCE, answers
    assert "requests failed" in status(own)["message"]
    print(f"{failed} requests failed before the bad version went back: {status(own)['message']}")
