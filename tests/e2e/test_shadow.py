"""A shadow is compared with what callers get, and costs them nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import redis
from onnx import TensorProto, helper, numpy_helper
from tests.conftest import Stack
from tests.e2e.test_kill import wait

from scurry.router.policy import is_copied
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.tensors import to_array, to_tensor

MODEL = "shadowed"
REPLIES = "scurry:replies:shadow-test"
REQUESTS = 3_000


def save(path: Path, factor: float) -> None:
    """A model that multiplies rows by a factor."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy")
    given = [numpy_helper.from_array(np.array([factor], np.float32), "f")]
    graph = helper.make_graph([helper.make_node("Mul", ["x", "f"], ["y"])], "m", [x], [y], given)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def ask(door: redis.Redis, numbers: range, *, payload: bool = False) -> dict[str, str]:
    """Write requests; returns the entry of each id."""
    pile = door.pipeline(transaction=False)
    for number in numbers:
        tensor = to_tensor("x", np.array([[number]], np.float32))
        if payload:
            key = f"scurry:payload:shadow-{number}:in:x"
            door.set(key, tensor.data)
            tensor = Tensor(name="x", datatype="FP32", shape=[1, 1], payload=key)
        body = InferRequest(inputs=[tensor]).SerializeToString()
        fields = {"model": MODEL, "id": f"shadow-{number}", "request": body, "reply": REPLIES}
        pile.xadd("scurry:requests", fields)
    entries = [entry.decode() for entry in pile.execute()]
    return {f"shadow-{number}": entry for number, entry in zip(numbers, entries, strict=True)}


def shadow(stack: Stack) -> dict[str, Any]:
    """What the record says of shadows."""
    found: dict[str, Any] = json.loads(stack.run("models", "show", MODEL, "--json").stdout)["shadow"]
    return found


def test_copies_are_compared_and_callers_hear_nothing_of_them(stack: Stack, tmp_path: Path) -> None:
    """Exactly the share of the rule is copied; one that differs is counted, and all answers are right."""
    for version, factor in (("1", 2.0), ("2", 2.5)):
        save(tmp_path / f"{version}.onnx", factor)
        stack.register(MODEL, tmp_path / f"{version}.onnx", version)
    stack.run("models", "promote", MODEL, "1")
    stack.run("models", "shadow", MODEL, "2", "--percent", "30")
    door = redis.Redis.from_url(stack.redis_url, protocol=2)
    entries: dict[str, str] = {}
    for start in range(0, REQUESTS, 100):
        entries |= ask(door, range(start, start + 100))
        wait("answers", 30, lambda sent=start: door.xlen(REPLIES) >= sent - 100)
    wait("all answers", 30, lambda: door.xlen(REPLIES) == REQUESTS)
    copied = [each for each, entry in entries.items() if is_copied("2", 30, f"scurry:requests/{entry}")]
    wait("all copies are counted", 15, lambda: shadow(stack)["2"]["compared"] == len(copied))
    seen = shadow(stack)["2"]
    assert seen["dropped"] == 0
    assert (seen["percent"], seen["equal"], seen["errors"]) == (30, copied.count("shadow-0"), {})
    furthest = max(int(each.removeprefix("shadow-")) for each in copied)
    assert seen["max_abs_diff"] == 0.5 * furthest
    for _, fields in door.xrange(REPLIES):
        (output,) = InferReply.FromString(fields[b"reply"]).outputs
        assert to_array(output).tolist() == [[2.0 * int(fields[b"id"].decode().removeprefix("shadow-"))]]
        assert fields[b"version"] == b"1"
    counted = json.loads(stack.run("models", "show", MODEL, "--json").stdout)["versions"]
    assert [(one["version"], one["requests"], one["ok"]) for one in counted] == [("1", REQUESTS, REQUESTS), ("2", 0, 0)]


def test_inputs_are_kept_until_the_copy_is_done(stack: Stack, tmp_path: Path) -> None:
    """Parked inputs of copied requests are read by the shadow, and go in the end; switched off, it gets no more."""
    door = redis.Redis.from_url(stack.redis_url, protocol=2)
    save(tmp_path / "2.onnx", 2.0)
    stack.register(MODEL, tmp_path / "2.onnx", "3")
    stack.run("models", "shadow", MODEL, "3", "--percent", "100")
    before = door.xlen(REPLIES)
    entries = ask(door, range(10_000, 10_050), payload=True)
    wait("answers", 30, lambda: door.xlen(REPLIES) == before + len(entries))
    wait("copies", 15, lambda: shadow(stack)["3"]["compared"] == 50)
    assert (shadow(stack)["3"]["equal"], shadow(stack)["3"]["errors"]) == (50, {})
    wait("inputs are let go of", 30, lambda: not list(door.scan_iter("scurry:payload:shadow-1*", count=1000)))

    stack.run("models", "shadow", MODEL, "--off")
    ask(door, range(20_000, 20_050))
    wait("answers", 30, lambda: door.xlen(REPLIES) == before + 100)
    time.sleep(2)
    assert (shadow(stack)["3"]["compared"], shadow(stack)["3"]["percent"]) == (50, 0)
