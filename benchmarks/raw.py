"""A model asked in process by onnxruntime with batching: what every figure is compared with.

Run as `python -m benchmarks.raw FILE --shape 16 --batches 16,64 --seconds 2`;
prints rows a second of the best batch size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def measure(file: Path, shape: Sequence[int], batches: Sequence[int], seconds: float) -> dict[str, float]:
    """The same in a process of its own, so that nothing stays behind in this one."""
    command = [sys.executable, "-m", "benchmarks.raw", str(file), "--seconds", str(seconds)]
    command += ["--shape", ",".join(map(str, shape)), "--batches", ",".join(map(str, batches))]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(output)
    return result


def best(file: Path, shape: Sequence[int], batches: Sequence[int], seconds: float) -> dict[str, float]:
    """Rows a second at the best of the batch sizes, on all cores; and the latency of one row alone."""
    import onnxruntime  # noqa: PLC0415 - not in the process that only starts this one

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    rates = {batch: _rate(session, (batch, *shape), seconds / len(batches)) for batch in batches}
    winner = max(rates, key=lambda batch: rates[batch])
    return {"per_second": rates[winner], "batch": winner, "one_ms": 1000 / _rate(session, (1, *shape), seconds / 4)}


def _rate(session: object, shape: tuple[int, ...], seconds: float) -> float:
    feed = {"x": np.random.default_rng(0).random(shape, np.float32)}
    run = session.run  # type: ignore[attr-defined]
    run(None, feed)
    calls, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        run(None, feed)
        calls += 1
    return calls * shape[0] / spent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--shape", required=True)
    parser.add_argument("--batches", required=True)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    shape, batches = ([int(one) for one in text.split(",")] for text in (given.shape, given.batches))
    print(json.dumps(best(given.file, shape, batches, given.seconds)))
