"""Microseconds the worker adds to a model: ToFunction in, FromFunction out.

Beside each figure stands the same number of rows given to the same model by onnxruntime alone, stacked beforehand,
in the same run. Run it on a quiet machine: `python benchmarks/inference_hot_path.py`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import uvloop
from onnx import TensorProto, helper, numpy_helper

from scurry.endpoint.call import Call
from scurry.endpoint.reqreply_pb2 import ToFunction
from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import open_model
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import ModelSpec, Request, Requests

SECONDS = 0.4
REPEATS = 5


def write_network(path: Path, widths: tuple[int, ...]) -> None:
    """A multilayer perceptron with random weights."""
    random = np.random.default_rng(0)
    nodes, weights, before = [], [], "x"
    for at, (wide, next_wide) in enumerate(pairwise(widths)):
        matrix = (random.standard_normal((wide, next_wide)) / wide**0.5).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"w{at}"))
        last = at == len(widths) - 2
        nodes.append(helper.make_node("MatMul", [before, f"w{at}"], ["y" if last else f"m{at}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"m{at}"], [f"r{at}"]))
        before = f"r{at}"
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
        for name, width in (("x", widths[0]), ("y", widths[-1]))
    ]
    graph = helper.make_graph(nodes, "network", tensors[:1], tensors[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


class NoPayloads:
    """Nothing is parked here."""

    async def fetch(self, keys: object) -> dict[str, bytes | None]:
        """Never asked."""
        raise AssertionError(keys)

    async def park(self, parcels: object) -> None:
        """Never asked."""
        raise AssertionError(parcels)


def call_bytes(model: str, uri: str, width: int, requests: int) -> bytes:
    """A call as the job sends it: `requests` requests of one row each, read one XREAD at a time."""
    body = InferRequest(
        inputs=[Tensor(name="x", datatype="FP32", shape=[1, width], data=np.ones(width, "<f4").tobytes())]
    ).SerializeToString()
    pile = [
        Request(id=f"{at:032x}", entry=f"scurry:requests/1700000000000-{at}", model=model, body=body, keep=0)
        for at in range(requests)
    ]
    for each in pile:
        each.reply = "scurry:replies:client-0"
    message = Requests(requests=pile, spec=ModelSpec(uri=uri, runtime="onnx", generation=1), sequence=requests)
    call = ToFunction()
    call.invocation.target.namespace, call.invocation.target.type = "scurry", "inference"
    call.invocation.target.id = f"{model}@1/0"
    item = call.invocation.invocations.add()
    item.caller.namespace, item.caller.type, item.caller.id = "scurry", "router", model
    item.argument.typename, item.argument.has_value = "scurry.v1/Requests", True
    item.argument.value = message.SerializeToString()
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


async def compare(name: str, uri: str, width: int, calls: int, requests: int) -> None:
    """One line of the table."""
    inference = Inference(Shelf(lambda *asked: open_model(*asked, threads=2), 1 << 34), NoPayloads())
    exchange = [call_bytes(f"m{at}", uri, width, requests) for at in range(calls)]
    seconds = await ours(inference, exchange)
    model = open_model("m", "1", ModelSpec(uri=uri, runtime="onnx"), threads=2)
    rows = min(requests, model.max_batch_size)
    rounds = calls * -(-requests // rows)
    array = np.ones((rows, width), np.float32)
    alone = raw(lambda: model.run([array])) * rounds
    inference.close()
    total = calls * requests
    print(
        f"{name:<6} {calls:>5} {requests:>8}  {seconds / calls * 1e6:>10.1f} {seconds / total * 1e6:>12.2f}"
        f" {alone / calls * 1e6:>12.1f} {alone / total * 1e6:>12.2f} {alone / seconds:>7.2f}"
    )


async def main() -> None:
    """The table."""
    print("model  calls requests     us/call   us/request  raw us/call   raw us/req   ratio")
    with tempfile.TemporaryDirectory() as directory:
        tiny, wide = Path(directory) / "tiny.onnx", Path(directory) / "wide.onnx"
        write_network(tiny, (16, 32, 4))
        write_network(wide, (1024, 1024, 1024, 256))
        for calls, requests in ((1, 1), (1, 4), (1, 16), (1, 64), (1, 200), (16, 4), (100, 1), (100, 8), (100, 64)):
            await compare("tiny", str(tiny), 16, calls, requests)
        for calls, requests in ((1, 1), (1, 16), (1, 64), (4, 32)):
            await compare("wide", str(wide), 1024, calls, requests)


if __name__ == "__main__":
    uvloop.run(main())
