"""Pictures a second: a model with steps behind the job, against bare Pillow and the bare model in one process.

Run as `python -m benchmarks.transforms [--workers 1] [--callers 64] [--seconds 10] [--model pool|resnet]`. The same
pictures, steps and model everywhere; what is bare runs before and after, on one thread and on as many as there are
cores, in the best of some batch sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from benchmarks.models import Graph, resnet18
from benchmarks.surroundings import Surroundings
from PIL import Image

from scurry.cli.output import table
from scurry.client.client import Client
from scurry.wire.messages_pb2 import Register, Update

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STEPS = {"decode": "RGB", "resize": 256, "crop": 224, "scale": "1/255", "mean": MEAN, "std": STD}
CONFIG = json.dumps({"preprocessing": [{"input": "image", **STEPS}], "max_batch_size": 32})
BATCHES = (1, 8, 32)
KINDS = 64


def pool(file: Path) -> Path:
    """Next to no work: the mean of each channel."""
    graph = Graph(0)
    return graph.save(file, graph.add("GlobalAveragePool", "x"), ["n", 3, 224, 224], ["n", 3, 1, 1])


def pictures() -> list[bytes]:
    """JPEGs of 500 by 375, about as detailed as photographs."""
    made = []
    for seed in range(KINDS):
        grain = np.random.default_rng(seed).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(grain).resize((500, 375), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
        made.append(buffer.getvalue())
    return made


def bare_row(encoded: bytes) -> np.ndarray[Any, Any]:
    """One picture, as people write it."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    ratio = 256 / min(image.size)
    image = image.resize((int(image.width * ratio), int(image.height * ratio)), Image.Resampling.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / 255
    row: np.ndarray[Any, Any] = ((pixels - np.array(MEAN, "f4")) / np.array(STD, "f4")).transpose(2, 0, 1)
    return row


def bare(session: onnxruntime.InferenceSession, made: Sequence[bytes], threads: int, seconds: float) -> float:
    """Pictures a second in this process, in the best batch size."""
    with ThreadPoolExecutor(threads) as helpers:
        rows: Callable[[Sequence[bytes]], Iterator[Any]] = (lambda some: map(bare_row, some)) if threads == 1 else (
            lambda some: helpers.map(bare_row, some)
        )  # fmt: skip
        return max(_rate(session, made, rows, batch, seconds / len(BATCHES)) for batch in BATCHES)


def _rate(
    session: onnxruntime.InferenceSession,
    made: Sequence[bytes],
    rows: Callable[..., Iterator[Any]],
    batch: int,
    seconds: float,
) -> float:
    turn, count, start = itertools.cycle(made), 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        session.run(None, {"x": np.stack(list(rows([next(turn) for _ in range(batch)])))})
        count += batch
    return count / spent


async def through_the_job(file: Path, made: Sequence[bytes], given: argparse.Namespace) -> float:
    """Pictures a second behind Redis, the job and its workers, each picture a request."""
    with tempfile.TemporaryDirectory() as folder:
        started = Surroundings(Path(folder), workers=given.workers)
        try:
            await started.start()
            await started.start_job()
            async with Client(started.at.redis_url) as client:
                await client.update(Update(model="pictures", register=Register(uri=str(file), config=CONFIG)))
                await _asked(client, made, given.callers, given.seconds / 2)
                return await _asked(client, made, given.callers, given.seconds)
        finally:
            await started.stop()


async def _asked(client: Client, made: Sequence[bytes], callers: int, seconds: float) -> float:
    turn, counts, end = itertools.cycle(made), [0] * callers, time.perf_counter() + seconds

    async def call(at: int) -> None:
        while time.perf_counter() < end:
            await client.infer("pictures", {"image": np.array([next(turn)], dtype=object)})
            counts[at] += 1

    await asyncio.gather(*map(call, range(callers)))
    return sum(counts) / (time.perf_counter() - end + seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--model", choices=("pool", "resnet"), default="pool")
    given = parser.parse_args()
    made, cores = pictures(), os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        file = (resnet18 if given.model == "resnet" else pool)(Path(folder) / "model.onnx")
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        before = {threads: bare(session, made, threads, given.seconds / 2) for threads in {1, cores}}
        ours = asyncio.run(through_the_job(file, made, given))
        after = {threads: bare(session, made, threads, given.seconds / 2) for threads in {1, cores}}
    rows = [("behind the job", f"{given.workers} worker(s)", f"{ours:.0f}", "")]
    for threads in sorted(before):
        rate = (before[threads] + after[threads]) / 2
        rows.append(("bare", f"{threads} thread(s)", f"{rate:.0f}", f"{ours / rate:.2f}"))
    print(f"{given.model}, {given.callers} callers, JPEGs of {sum(map(len, made)) // KINDS // 1000} KB")
    print(table(("WHAT", "WITH", "PICTURES/S", "OURS IN PARTS OF IT"), rows))


if __name__ == "__main__":
    main()
