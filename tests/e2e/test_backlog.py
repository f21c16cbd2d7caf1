"""What was written while the job was away is answered when it is back, however much there is for one model."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import redis
from onnx import TensorProto, helper
from tests.conftest import Stack

from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_tensor

BACKLOG = 6000  # a version that takes one row at a time may have 1,024 outstanding
REPLIES = "scurry:replies:backlog-test"
WAIT_S = 60


def negation(path: Path) -> Path:
    """A model."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "negation", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def wait_for_checkpoint(stack: Stack) -> None:
    """Return once two checkpoints were completed from now on: the second began after this call."""
    before = set(stack.dir.rglob("chk-*/_metadata"))
    seen: set[Path] = set()
    end = time.monotonic() + WAIT_S
    while len(seen) < 2:
        assert time.monotonic() < end, "no checkpoint was completed"
        time.sleep(0.1)
        seen |= set(stack.dir.rglob("chk-*/_metadata")) - before


def write_backlog(client: redis.Redis) -> None:
    """Requests that nobody reads yet."""
    body = InferRequest(inputs=[to_tensor("x", np.ones((1, 1), np.float32))]).SerializeToString()
    pile = client.pipeline(transaction=False)
    for number in range(BACKLOG):
        pile.xadd("scurry:requests", {"model": "minus", "id": f"b-{number}", "request": body, "reply": REPLIES})
    pile.execute()


def statuses(client: redis.Redis) -> Counter[str]:
    """How the requests were answered, once all are or time is up; each id once."""
    end = time.monotonic() + WAIT_S
    while client.xlen(REPLIES) < BACKLOG and time.monotonic() < end:
        time.sleep(0.2)
    answered = {fields[b"id"]: fields.get(b"error", fields[b"status"]).decode() for _, fields in client.xrange(REPLIES)}
    return Counter(answered.values())


def test_a_backlog_of_one_model_is_not_refused(tmp_path: Path) -> None:
    """Requests that waited for the job, six times what the model may have outstanding, are all answered."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--checkpoint-interval", "2s")
    try:
        (tmp_path / "single.json").write_text('{"max_batch_size": 1}')
        model = negation(tmp_path / "minus.onnx")
        stack.register("minus", model, "1", "--config", str(tmp_path / "single.json"))
        wait_for_checkpoint(stack)
        client = redis.Redis.from_url(stack.redis_url, protocol=2)
        os.kill(stack.info["processes"]["job"]["pid"], signal.SIGKILL)
        write_backlog(client)
        assert statuses(client) == {"ok": BACKLOG}
        client.close()
    finally:
        assert stack.stop() == 0
