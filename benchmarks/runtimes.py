"""What the worker's batch path adds to each framework: 32 requests of the 1024-wide network in one call, or one of 32.

Beside it stands the framework itself, given the same 32 rows stacked beforehand, with as many threads, in the same
process; the two take turns. `python -m benchmarks.runtimes` runs each framework that is installed in a process of its
own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from benchmarks.inference_hot_path import THREADS, Memory, call_bytes, ours, raw
from benchmarks.models import Subject, dense

from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener

ROWS, SIZES, TURNS = 32, (1024, 1024, 1024, 256), 7
DATA = np.ones((ROWS, SIZES[0]), np.float32)

Made = tuple[Path, Callable[[], object]]
"""A model's file, and what runs the framework itself once."""


def onnx(folder: Path) -> Made:
    """onnxruntime's session."""
    import onnxruntime  # noqa: PLC0415 - each in its own process

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = THREADS
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as ours, whose cores others need
    file = dense(folder / "wide.onnx", *SIZES)
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    return file, lambda: session.run(["y"], {"x": DATA})


def openvino(folder: Path) -> Made:
    """An infer request of OpenVINO's."""
    import openvino as ov  # noqa: PLC0415

    file = dense(folder / "wide.onnx", *SIZES)
    settings = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = ov.Core().compile_model(str(file), "CPU", settings).create_infer_request()

    def once() -> np.ndarray:
        result: np.ndarray = request.infer([DATA])[0]
        return result.copy()

    return file, once


def torch(folder: Path) -> Made:
    """A TorchScript module."""
    import torch as framework  # noqa: PLC0415

    class Wide(framework.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            pairs = pairwise(SIZES)
            self.layers = framework.nn.ModuleList(framework.nn.Linear(*pair) for pair in pairs)

        def forward(self, x: framework.Tensor) -> framework.Tensor:
            for layer in self.layers[:2]:
                x = layer(x).relu()
            return self.layers[2](x)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        framework.jit.trace(Wide().eval(), framework.zeros(2, SIZES[0])).save(str(folder / "wide.pt"))
        module = framework.jit.load(str(folder / "wide.pt")).eval()
    framework.set_num_threads(THREADS)

    def once() -> Any:  # noqa: ANN401
        with framework.inference_mode():
            return module(framework.from_numpy(DATA)).numpy()

    return folder / "wide.pt", once


def tensorflow(folder: Path) -> Made:
    """A SavedModel's signature."""
    import tensorflow as tf  # noqa: PLC0415

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    numbers = np.random.default_rng(0)
    pairs = list(pairwise(SIZES))
    module = tf.Module()
    module.weights = [tf.Variable(numbers.normal(0, 0.04, pair).astype(np.float32)) for pair in pairs]

    @tf.function(input_signature=[tf.TensorSpec([None, SIZES[0]], tf.float32, name="x")])
    def run(x: Any) -> dict[str, Any]:  # noqa: ANN401
        for weights in module.weights[:2]:
            x = tf.nn.relu(x @ weights)
        return {"y": x @ module.weights[2]}

    module.run = run
    tf.saved_model.save(module, str(folder / "wide"), signatures=module.run)
    loaded = tf.saved_model.load(str(folder / "wide"))
    signature = loaded.signatures["serving_default"]
    return folder / "wide", lambda: (loaded, signature(x=tf.convert_to_tensor(DATA))["y"].numpy())


FRAMEWORKS: dict[str, tuple[Callable[[Path], Made], str]] = {
    "onnx": (onnx, "onnxruntime"),
    "openvino": (openvino, "openvino"),
    "torch": (torch, "torch"),
    "tensorflow": (tensorflow, "tensorflow"),
}


async def compare(name: str) -> None:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        file, once = FRAMEWORKS[name][0](Path(folder))
        subject = Subject(file, SIZES[:1], ROWS, (ROWS,))
        inference = Inference(Shelf(Opener(THREADS), 1 << 34), Memory(DATA.tobytes()))
        many, one = [call_bytes("wide", subject, ROWS, name)], [call_bytes("wide", subject, 1, name, ROWS)]
        turns = [(await ours(inference, many), await ours(inference, one), raw(once)) for _ in range(TURNS)]
        await inference.close()
    *paths, alone = (min(each) * 1e6 for each in zip(*turns, strict=True))
    figures = "".join(f"{path:>17.0f} {(path / alone - 1) * 100:>8.1f} %" for path in paths)
    print(f"{name:<11}{alone:>13.0f}{figures}", flush=True)


def main() -> None:
    """The table."""
    print(f"microseconds, {ROWS} rows, {THREADS} threads", flush=True)
    print(f"runtime      framework   {ROWS} requests   overhead    one request   overhead", flush=True)
    for name, (_, module) in FRAMEWORKS.items():
        if find_spec(module) is None:
            print(f"{name:<11} left out: {module} is not installed here", flush=True)
        else:
            subprocess.run([sys.executable, "-m", "benchmarks.runtimes", name], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(compare(sys.argv[1]))
    else:
        main()
