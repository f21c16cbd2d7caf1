"""Microseconds the worker adds to a model: ToFunction in, FromFunction out.

Beside each figure stands the same number of rows given to the same model by onnxruntime alone, stacked beforehand,
in the same run. Run it on a quiet machine: `python -m benchmarks.inference_hot_path`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path

import numpy as np
import onnxruntime
import uvloop
from benchmarks.models import Subject, make

from scurry.endpoint.call import Call
from scurry.endpoint.reqreply_pb2 import ToFunction
from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import ModelSpec, Request, Requests
from scurry.wire.names import CLAIM_CHECK_BYTES

SECONDS = 0.4
REPEATS = 5
THREADS = 2


class Memory:
    """Stands in for Redis: everything parked is the same bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def fetch(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """The bytes under every key."""
        return dict.fromkeys(keys, self._data)

    async def park(self, payloads: Sequence[object]) -> None:
        """Let go of what is parked."""


def call_bytes(model: str, subject: Subject, requests: int, runtime: str = "onnx", rows: int = 1) -> bytes:
    """A call as the job sends it: `requests` requests of so many rows each, large ones parked."""
    data = np.ones((rows, *subject.shape), "<f4").tobytes()
    pile = []
    for at in range(requests):
        tensor = Tensor(name="x", datatype="FP32", shape=[rows, *subject.shape])
        if len(data) > CLAIM_CHECK_BYTES:
            tensor.payload = f"scurry:payload:{at:032x}:in:x"
        else:
            tensor.data = data
        body = InferRequest(inputs=[tensor]).SerializeToString()
        pile.append(Request(id=f"{at:032x}", entry=f"scurry:requests/1-{at}", model=model, body=body, keep=0))
        pile[-1].reply = "scurry:replies:me"
    config = f'{{"max_batch_size": {subject.max_batch_size}}}'
    spec = ModelSpec(uri=str(subject.file), runtime=runtime, generation=1, config=config, identity=f"{model}-1")
    call = ToFunction()
    call.invocation.target.namespace, call.invocation.target.type = "scurry", "inference"
    call.invocation.target.id = f"{model}@1/0"
    item = call.invocation.invocations.add()
    item.caller.namespace, item.caller.type, item.caller.id = "scurry", "router", model
    item.argument.typename, item.argument.has_value = "scurry.v1/Requests", True
    item.argument.value = Requests(requests=pile, spec=spec, sequence=requests).SerializeToString()
    return call.SerializeToString()


async def ours(inference: Inference, exchange: list[bytes]) -> float:
    """Seconds for one exchange."""

    def done(call: Call) -> None:
        call.response.SerializeToString()

    async def once() -> None:
        await inference.serve([Call.parse(each) for each in exchange], done)

    await once()
    best = float("inf")
    for _ in range(REPEATS):
        rounds, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SECONDS / REPEATS:
            await once()
            rounds += 1
        best = min(best, spent / rounds)
    return best


def raw(run: Callable[[], object]) -> float:
    """Seconds for one run."""
    run()
    best = float("inf")
    for _ in range(REPEATS):
        rounds, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SECONDS / REPEATS:
            run()
            rounds += 1
        best = min(best, spent / rounds)
    return best


async def compare(name: str, subject: Subject, calls: int, requests: int) -> None:
    """One line of the table."""
    data = np.ones(subject.shape, "<f4").tobytes()
    inference = Inference(Shelf(Opener(THREADS), 1 << 34), Memory(data))
    exchange = [call_bytes(f"m{at}", subject, requests) for at in range(calls)]
    seconds = await ours(inference, exchange)
    await inference.close()
    session = onnxruntime.InferenceSession(subject.file, providers=["CPUExecutionProvider"])
    rows = min(requests, subject.max_batch_size)
    array = np.ones((rows, *subject.shape), np.float32)
    alone = raw(lambda: session.run(["y"], {"x": array})) * calls * -(-requests // rows)
    total = calls * requests
    print(
        f"{name:<7} {prod(subject.shape) * 4:>7} {calls:>5} {requests:>8}  {seconds / calls * 1e6:>10.1f}"
        f" {seconds / total * 1e6:>11.2f} {alone / calls * 1e6:>12.1f} {alone / total * 1e6:>11.2f}"
        f" {(seconds - alone) / total * 1e6:>9.2f} {alone / seconds:>6.2f}",
        flush=True,
    )


async def main() -> None:
    """The table."""
    print("model     bytes calls requests     us/call  us/request  raw us/call  raw us/req  added us  ratio")
    with tempfile.TemporaryDirectory() as folder:
        subjects = make(Path(folder))
        for calls, requests in ((1, 1), (1, 4), (1, 16), (1, 64), (1, 200), (16, 4), (100, 1), (100, 8), (100, 64)):
            await compare("tiny", subjects["tiny"], calls, requests)
        for calls, requests in ((1, 1), (1, 16), (1, 64), (2, 64), (16, 4)):
            await compare("wide", subjects["wide"], calls, requests)
        for calls, requests in ((1, 1), (1, 8), (2, 8)):
            await compare("resnet", subjects["resnet"], calls, requests)


if __name__ == "__main__":
    uvloop.run(main())
