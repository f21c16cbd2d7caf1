"""Ten times as many models as the workers' budget holds, asked by Zipf's law: `python -m benchmarks.shelf`.

Two workers. Held against a least-recently-used cache of the same size in which every model lies once, wherever it is
asked: nobody who keeps that rule does better. What it prints is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from benchmarks.models import dense
from examples.digits.up import Up

from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import Register, Update

WORKERS, MIB = 2, 2**20
CALLERS, WARM = 4, 0.25


def main() -> None:
    """Make the models, register them, ask, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--memory-mb", type=int, default=WORKERS * 64)
    parser.add_argument("--exponent", type=float, default=1.1)
    parser.add_argument("--files", type=Path, help="where the models lie, to be made there if they do not")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scurry-shelf-") as folder:
        print(json.dumps(measured(Path(folder), args), indent=2))


def measured(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What was found."""
    numbers = np.random.default_rng(0)
    files = models(args.files or folder, args.models, numbers)
    chances = 1 / np.arange(1, args.models + 1) ** args.exponent
    order = numbers.permutation(args.models)  # what is asked most is not what was registered first
    asked = order[numbers.choice(args.models, args.requests, p=chances / chances.sum())]
    with Up(folder / "up", say, "--workers", str(WORKERS), "--memory-mb", str(args.memory_mb)) as stack:
        at = stack.wait_until_ready()
        urls, redis_url, start = at["worker_urls"], at["redis_url"], time.perf_counter()
        asyncio.run(register(redis_url, files))
        registered = time.perf_counter() - start
        say(f"{len(files)} models are registered, in {registered:.0f} s")
        begun = int(args.requests * WARM)
        asyncio.run(ask(redis_url, files, asked[:begun]))
        before, start = scraped(urls), time.perf_counter()
        outcome = asyncio.run(ask(redis_url, files, asked[begun:], urls))
        seconds, after = time.perf_counter() - start, scraped(urls)
        sizes = asyncio.run(bytes_of(redis_url, files))
    told = {name: after[name] - before[name] for name in after if name.endswith("_total")}
    hits, misses = told["scurry_shelf_hits_total"], told["scurry_shelf_misses_total"]
    ideal = ideal_ratio(asked, sizes, args.memory_mb * MIB, begun)
    return {
        "models": args.models, "registration_s": registered, "requests": len(asked) - begun, **outcome,
        "seconds": seconds, "budget_holds": args.memory_mb * MIB / float(np.mean(sizes)),
        "hit_ratio": hits / (hits + misses), "ideal_lru": ideal, "of_ideal": hits / (hits + misses) / ideal,
        "loads": told["scurry_shelf_loads_total"], "evictions": told["scurry_shelf_evictions_total"],
        "age_at_eviction_s": told["scurry_shelf_eviction_age_seconds_total"] / told["scurry_shelf_evictions_total"],
    }  # fmt: skip


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def models(folder: Path, count: int, numbers: np.random.Generator) -> list[Path]:
    """Networks of two layers, of sizes between a half and twice one another, their weights in files beside them."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"m{at}.onnx" for at in range(count)]
    for at, (file, width) in enumerate(zip(files, numbers.uniform(0.5, 2.0, count) * 8000, strict=True)):
        if file.exists():
            continue
        network = onnx.load(dense(file, 16, int(width), 16, seed=at))
        onnx.save(network, file, save_as_external_data=True, location=f"{file.name}.data", size_threshold=0)
    return files


async def register(redis_url: str, files: Sequence[Path]) -> None:
    """All at once, until the last is ready; rows are not stacked, which would have to be proven at every load."""
    config = json.dumps({"max_batch_size": 1})
    made = [Register(version="1", uri=str(file), runtime="onnx", config=config) for file in files]
    async with Client(redis_url) as client:
        updates = (Update(model=file.stem, register=one) for file, one in zip(files, made, strict=True))
        await asyncio.gather(*(client.update(each, timeout=600) for each in updates))


async def ask(redis_url: str, files: Sequence[Path], asked: Sequence[int], urls: Sequence[str] = ()) -> dict[str, Any]:
    """A few callers, one request after the other each; what failed, and the most memory that was seen to be taken."""
    failed, most, left = 0, 0.0, iter(asked)
    one = {"x": np.zeros((1, 16), np.float32)}

    async def caller(client: Client) -> None:
        nonlocal failed
        for model in left:
            try:
                await client.infer(files[model].stem, one, timeout=30)
            except ScurryError:
                failed += 1

    async def watch() -> None:
        nonlocal most
        while True:
            for url in urls:
                told = await asyncio.to_thread(scraped, [url])
                most = max(most, told["scurry_shelf_bytes"] / told["scurry_shelf_budget_bytes"])
            await asyncio.sleep(1)

    async with Client(redis_url) as client:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(caller(client) for _ in range(CALLERS)))
        watching.cancel()
    return {"failed": failed, "most_of_budget": most}


def scraped(urls: Sequence[str]) -> dict[str, float]:
    """The workers' figures, added up."""
    totals: dict[str, float] = {}
    for url in urls:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if not line.startswith("#"):
                    name, value = line.split()
                    totals[name] = totals.get(name, 0.0) + float(value)
    return totals


async def bytes_of(redis_url: str, files: Sequence[Path]) -> list[int]:
    """What each model takes on a worker, as its record says."""
    async with Client(redis_url) as client:
        view = await client.models()
    return [view[file.stem]["versions"][0]["bytes"] for file in files]


def ideal_ratio(asked: Sequence[int], sizes: Sequence[int], budget: int, begun: int) -> float:
    """Hits of one cache that holds each model at most once, behind the warm-up."""
    shelf: OrderedDict[int, int] = OrderedDict()
    used = hits = 0
    for at, model in enumerate(asked):
        if model in shelf:
            shelf.move_to_end(model)
            hits += at >= begun
            continue
        shelf[model] = sizes[model]
        used += sizes[model]
        while used > budget:
            used -= shelf.popitem(last=False)[1]
    return hits / (len(asked) - begun)


if __name__ == "__main__":
    main()
