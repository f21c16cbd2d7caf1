"""What a process of its own costs a model: the same call there and in the worker, in one run.

`python -m benchmarks.apart` asks the 1024-wide network of the benchmark, and a model of a user's own that adds one,
taking turns so that both see the same machine. It also says what an open model's process takes of memory and of time.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from benchmarks.models import make

from scurry.cli.output import table
from scurry.inference.isolated.opener import IsolatingOpener
from scurry.runtimes.catalog import Opener
from scurry.runtimes.runtime import Runtime
from scurry.wire.messages_pb2 import ModelSpec

ROUNDS, EACH_SECONDS, THREADS = 15, 0.1, 2
MODEL = """
import scurry

class Same(scurry.Model):
    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 1024]}]
    outputs = [{"name": "y", "datatype": "FP32", "shape": [-1, 1024]}]

    def predict(self, inputs, parameters):
        return {"y": inputs["x"] + 1}
"""


def seconds(run: Callable[[], object]) -> float:
    """Seconds of one run, by as many as fit into a moment."""
    runs, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < EACH_SECONDS:
        run()
        runs += 1
    return spent / runs


def compare(here: Callable[[], object], there: Callable[[], object]) -> tuple[float, float]:
    """The median seconds of both, taking turns."""
    pairs = [(seconds(here), seconds(there)) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)


def opened(opener: IsolatingOpener | Opener, uri: Path, **config: object) -> Runtime:
    """The open model."""
    spec = ModelSpec(uri=str(uri), config=json.dumps(config))
    return opener.open(opener.find("m", "1", spec), spec.config)


def rows_of(name: str, uri: Path, batches: Sequence[int], shape: tuple[int, ...]) -> list[tuple[object, ...]]:
    """One line of the table for each batch size."""
    here = opened(Opener(THREADS), uri)
    start = time.perf_counter()
    there = opened(IsolatingOpener(Opener(THREADS), THREADS, ["python"]), uri, isolated=True)
    opening = time.perf_counter() - start
    lines: list[tuple[object, ...]] = []
    for batch in batches:
        data = [np.random.default_rng(0).random((batch, *shape), np.float32)]
        inside, apart = compare(lambda data=data: here.run(data), lambda data=data: there.run(data))  # type: ignore[misc]
        added = f"{(apart - inside) * 1e6:.0f}"
        lines.append((name, batch, f"{inside * 1e6:.0f}", f"{apart * 1e6:.0f}", added, f"{apart / inside:.2f}"))
    print(f"{name}: opened in {opening:.2f} s, {there.bytes / 2**20:.0f} MiB of its own")
    there.close()
    return lines


def main() -> None:
    """The table."""
    with tempfile.TemporaryDirectory() as folder:
        wide = make(Path(folder))["wide"]
        own = Path(folder) / "own"
        own.mkdir()
        (own / "model.py").write_text(MODEL)
        lines = [*rows_of("wide", wide.file, (1, 32), wide.shape), *rows_of("python", own, (1, 32, 2048), (1024,))]
    print(table(("MODEL", "ROWS", "IN PROCESS us", "APART us", "ADDED us", "RATIO"), lines))


if __name__ == "__main__":
    main()
