"""A thousand sequences at once against the same net without states: requests a second, and the ratio.

Run it on a quiet machine: `python -m benchmarks.sequences` (a minute). The net is one gated recurrent unit, 64 wide.
Kept as a sequence's state its state is neither sent nor seen; without states it begins with zeros each time. Callers,
steps and bodies are the same but for the parameters; rounds take turns, the median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from benchmarks import machine, models
from examples.digits.up import Up
from onnx import TensorProto, helper, numpy_helper

from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Register, Update
from scurry.wire.tensors import to_array, to_tensor

WIDE = 64
GOAL = 0.5
CONFIG: dict[str, Any] = {"max_batch_size": 64}
STATE = {"input_name": "h", "output_name": "g", "data_type": "TYPE_FP32", "dims": [WIDE]}


def cell(file: Path, *, states: bool) -> Path:
    """The unit; without states it begins with zeros."""
    numbers = np.random.default_rng(7)
    weights = [
        numpy_helper.from_array(numbers.normal(0, 0.1, (1, 3 * WIDE, WIDE)).astype(np.float32), name) for name in "wr"
    ]
    nodes = [helper.make_node("Unsqueeze", ["x", "first"], ["xs"])]
    if states:
        nodes.append(helper.make_node("Unsqueeze", ["h", "first"], ["hs"]))
    nodes += [
        helper.make_node("GRU", ["xs", "w", "r", "", "", "hs" if states else ""], ["", "gs"], hidden_size=WIDE),
        helper.make_node("Squeeze", ["gs", "first"], ["g"]),
        helper.make_node("Identity", ["g"], ["y"]),
    ]
    names = (("x", "h"), ("y", "g")) if states else (("x",), ("y",))
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDE]) for name in side] for side in names]
    weights.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
    graph = helper.make_graph(nodes, file.stem, *ends, weights)
    onnx.save(helper.make_model(graph, opset_imports=[models.OPSET], ir_version=8), file)
    return file


def body(rows: np.ndarray, sequence: int, at: int, steps: int) -> bytes:
    """One step of one sequence, or the same without saying so if its number is 0."""
    request = InferRequest(inputs=[to_tensor("x", rows)])
    if sequence:
        request.parameters["sequence_id"].int_value = sequence
        request.parameters["sequence_start"].bool_value = at == 0
        request.parameters["sequence_end"].bool_value = at == steps - 1
    return request.SerializeToString()


async def ask_all(client: Client, model: str, numbers: np.ndarray, first: int) -> tuple[float, np.ndarray]:
    """Requests a second with every sequence's caller waiting for its last step, and the last answers."""
    count, steps = numbers.shape[:2]
    bodies = [
        [body(numbers[one, at : at + 1], first + one if first else 0, at, steps) for at in range(steps)]
        for one in range(count)
    ]

    async def one(each: list[bytes]) -> np.ndarray:
        fields = {}
        for content in each:
            fields = await client.submit(model, content, timeout=120, keep=0)
            if fields[b"status"] != b"ok":
                raise SystemExit(f"{model}: {fields[b'error']!r} {fields[b'message']!r}")
        return to_array(InferReply.FromString(fields[b"reply"]).outputs[0])[0]

    start = time.perf_counter()
    answers = await asyncio.gather(*map(one, bodies))
    return count * steps / (time.perf_counter() - start), np.array(answers)


def spent(root: int, since: dict[str, float]) -> dict[str, float]:
    """Seconds of processor time since then, by process."""
    now = {**machine.cpu_seconds(machine.processes(root)), "callers": time.process_time()}
    return {name: seconds - since.get(name, 0.0) for name, seconds in now.items()}


async def compare(redis_url: str, root: int, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Register both, warm up, and ask in turns."""
    rates: dict[str, list[float]] = {"stateless": [], "sequences": []}
    numbers = np.random.default_rng(3).normal(size=(args.sequences, args.steps, WIDE)).astype(np.float32)
    async with Client(redis_url) as client:
        kept = {**CONFIG, "sequence_batching": {"state": [STATE]}}
        for name, config in (("stateless", CONFIG), ("sequences", kept)):
            file = cell(folder / f"{name}.onnx", states=name == "sequences")
            register = Register(version="1", uri=str(file), runtime="onnx", config=json.dumps(config))
            await client.update(Update(model=name, register=register), timeout=120)
        before: np.ndarray | None = None
        for turn in range(args.rounds + 1):
            for name, each in rates.items():
                first = 1 + turn * args.sequences if name == "sequences" else 0
                before_it = spent(root, {})
                rate, answers = await ask_all(client, name, numbers, first)
                micros = {part: round(s * 1e6 / numbers[..., 0].size) for part, s in spent(root, before_it).items()}
                told = f"{rate:,.0f} requests/s, µs each {sum(micros.values())} {micros}"
                print(f"round {turn} {name}: {told}", file=sys.stderr, flush=True)
                if turn:
                    each.append(rate)
                if name == "sequences":
                    if before is not None and not np.allclose(answers, before, rtol=1e-4, atol=1e-5):
                        raise SystemExit("the same sequences were answered in two ways")
                    before = answers
    medians = {name: statistics.median(each) for name, each in rates.items()}
    return {**medians, "ratio": medians["sequences"] / medians["stateless"], "goal": GOAL}


def main() -> int:
    """Print both rates and their ratio; 1 if it is below the goal."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="1")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            with Up(folder / "up", lambda _: None, "--workers", args.workers) as up:
                found = asyncio.run(compare(up.wait_until_ready()["redis_url"], up.pid, folder, args))
        except ScurryError as failure:
            raise SystemExit(str(failure)) from None
    print(json.dumps(found))
    return 0 if found["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
