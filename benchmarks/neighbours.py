"""What a quick model feels of its neighbours: its p99 alone, and beside saturated, dying and hungry ones.

Run it on a quiet machine: `python -m benchmarks.neighbours` (four minutes), `--only slow` or `--only memory` for half.

slow     50 models that take half a second each are kept saturated; one worker is killed, another one stopped.
memory   a watcher kills every worker above 700 MB, as a container's limit would, while a model that takes as much
         memory as its input says is sent inputs that take 4 GB, ten of them, with sound requests between.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from benchmarks import machine, models
from benchmarks.registering import register_one
from examples.digits.up import Up
from onnx import TensorProto, helper

from scurry.client.client import Client
from scurry.wire.errors import ScurryError

SLOW = 50
TURNS = 400_000
"""Turns of a loop in one call of a slow model: half a second where it was written."""
IN_FLIGHT = 20
"""Requests that each slow model is kept busy with."""
RATE = 100
"""Requests a second that the quick model gets."""
ALONE_S, BESIDE_S = 20.0, 60.0
LIMIT_BYTES = 700 << 20
POISON = 10
WORKERS = 3


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def looping(file: Path) -> Path:
    """A model that answers y = x after a loop of `TURNS`."""
    turn = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["goes_on"]), helper.make_node("Add", ["before", "before"], ["kept"])],
        "turn",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("kept", TensorProto.FLOAT, []),
        ],
    )
    constants = [
        helper.make_tensor("turns", TensorProto.INT64, [1], [TURNS]),
        helper.make_tensor("true", TensorProto.BOOL, [], [True]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    nodes = [
        helper.make_node("Loop", ["turns", "true", "zero"], ["nothing"], body=turn),
        helper.make_node("Add", ["x", "nothing"], ["y"]),
    ]
    return _saved(file, nodes, constants)


def hungry(file: Path) -> Path:
    """A model that answers y = x and for it takes 4 MiB for each that its first number is above zero."""
    constants = [
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("from", TensorProto.INT64, [1], [0]),
        helper.make_tensor("to", TensorProto.INT64, [1], [1]),
        helper.make_tensor("unit", TensorProto.INT64, [1], [1 << 20]),
        helper.make_tensor("nothing", TensorProto.FLOAT, [], [0.0]),
    ]
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "to"], ["firsts"]),
        helper.make_node("ReduceMax", ["firsts"], ["first"], axes=[0, 1], keepdims=0),
        helper.make_node("Reshape", ["first", "flat"], ["largest"]),
        helper.make_node("Cast", ["largest"], ["times"], to=TensorProto.INT64),
        helper.make_node("Mul", ["times", "unit"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        helper.make_node("ReduceSum", ["large"], ["used"], keepdims=0),
        helper.make_node("Mul", ["used", "nothing"], ["void"]),
        helper.make_node("Add", ["x", "void"], ["y"]),
    ]
    return _saved(file, nodes, constants)


def _saved(file: Path, nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]) -> Path:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 16])
    graph = helper.make_graph(nodes, file.stem, [x], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[models.OPSET], ir_version=8), file)
    return file


class Quick:
    """The model whose answers are timed, asked at a steady rate whatever becomes of the answers."""

    def __init__(self, redis_url: str, label: str) -> None:
        self._redis_url, self._label = redis_url, label
        self.milliseconds: list[float] = []
        self.errors: Counter[str] = Counter()

    async def ask(self, seconds: float, during: Callable[[Client], Awaitable[None]] | None = None) -> None:
        """So many seconds of questions; `during` goes on beside them."""
        async with Client(self._redis_url) as client:
            beside = asyncio.ensure_future(during(client)) if during is not None else None
            asked, begin = [], time.perf_counter()
            for number in range(int(seconds * RATE)):
                await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
                asked.append(asyncio.create_task(self._one(client)))
            await asyncio.gather(*asked)
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)

    async def _one(self, client: Client) -> None:
        begin = time.perf_counter()
        try:
            await client.infer("tiny", {"x": np.zeros((1, 16), np.float32)})
        except ScurryError as failure:
            self.errors[failure.code] += 1
        self.milliseconds.append((time.perf_counter() - begin) * 1000)

    @property
    def p99(self) -> float:
        """Milliseconds that one in a hundred waited longer than."""
        return float(np.percentile(self.milliseconds, 99))

    def line(self) -> str:
        """A row of the table."""
        p50, worst = np.percentile(self.milliseconds, 50), max(self.milliseconds)
        errors = ", ".join(f"{count} × {code}" for code, count in self.errors.items()) or "0"
        return f"{self._label:<34} {len(self.milliseconds):>7} {p50:>8.1f} {self.p99:>8.1f} {worst:>9.1f}  {errors}"


async def flood(redis_url: str) -> None:
    """Keep every slow model saturated until cancelled."""
    x = {"x": np.zeros((1, 16), np.float32)}

    async def keep_busy(client: Client, model: str) -> None:
        while True:
            try:
                await client.infer(model, x, timeout=30)
            except ScurryError:
                await asyncio.sleep(0.5)

    async with Client(redis_url) as client:
        await asyncio.gather(*(keep_busy(client, f"slow-{at}") for at in range(SLOW) for _ in range(IN_FLIGHT)))


def workers(pid: int) -> list[int]:
    """The workers' processes."""
    return sorted(each for each, name in machine.processes(pid).items() if name == "worker")


async def slow(at: dict[str, Any], pid: int, folder: Path) -> list[Quick]:
    """Saturated neighbours, a dead worker, a hung worker."""
    say(f"registering {SLOW} slow models")
    for number in range(SLOW):
        await asyncio.to_thread(register_one, at, f"slow-{number}", looping(folder / f"slow-{number}.onnx"), 1)
    names = ("alone", "beside 50 saturated", "and a worker dead, one hung")
    alone, beside, broken = (Quick(at["redis_url"], name) for name in names)
    await alone.ask(ALONE_S)
    flooding = ("-m", "benchmarks.neighbours", "--flood", at["redis_url"])
    generator = await asyncio.create_subprocess_exec(sys.executable, *flooding)
    try:
        await asyncio.sleep(5)
        say("the slow ones are saturated")
        await beside.ask(BESIDE_S)

        async def hurt(_client: Client) -> None:
            await asyncio.sleep(10)
            dead, hung = workers(pid)[:2]
            os.kill(dead, signal.SIGKILL)
            os.kill(hung, signal.SIGSTOP)
            try:
                await asyncio.sleep(30)
            finally:
                os.kill(hung, signal.SIGCONT)

        await broken.ask(BESIDE_S, hurt)
    finally:
        generator.terminate()
        await generator.wait()
    return [alone, beside, broken]


class Watcher(threading.Thread):
    """Kills every worker or child of one above the limit, and counts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.killed: Counter[str] = Counter()

    def run(self) -> None:
        """Look twenty times a second."""
        while not self._ended.wait(0.05):
            for worker in workers(self._pid):
                for each in machine.processes(worker):
                    with contextlib.suppress(OSError):  # ended meanwhile
                        if machine.resident_mb(each) * 1e6 > LIMIT_BYTES:
                            os.kill(each, signal.SIGKILL)
                            self.killed["worker" if each == worker else "child"] += 1

    def stop(self) -> None:
        """Kill no more."""
        self._ended.set()
        self.join()


async def memory(at: dict[str, Any], pid: int, folder: Path) -> list[Quick]:
    """Poison that takes memory, with sound requests of the same model between."""
    await asyncio.to_thread(register_one, at, "hungry", hungry(folder / "hungry.onnx"), 8)
    alone, beside = (Quick(at["redis_url"], name) for name in ("alone", "beside a model that takes 4 GB"))
    await alone.ask(ALONE_S)
    fates: Counter[str] = Counter()

    async def ask(client: Client, first: float, kind: str) -> None:
        x = np.zeros((1, 16), np.float32)
        x[0, 0] = first
        try:
            await client.infer("hungry", {"x": x}, timeout=60)
            fates[f"{kind} answered"] += 1
        except ScurryError as failure:
            fates[f"{kind} {failure.code}"] += 1

    async def poison(client: Client) -> None:
        asked: list[Coroutine[Any, Any, None]] = []
        for _ in range(POISON):
            asked += [ask(client, 1000.0, "poison"), *(ask(client, 0.0, "sound") for _ in range(10))]
        tasks = []
        for number, each in enumerate(asked):
            tasks.append(asyncio.create_task(each))
            if number % 11 == 10:
                await asyncio.sleep(3)
        await asyncio.gather(*tasks)

    watcher = Watcher(pid)
    watcher.start()
    await beside.ask(BESIDE_S, poison)
    watcher.stop()
    say(f"killed by the watcher: {dict(watcher.killed) or 'nothing'}; asked of the hungry model: {dict(fates)}")
    return [alone, beside]


SCENES = {"slow": slow, "memory": memory}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SCENES, help="one of the two")
    parser.add_argument("--flood", metavar="REDIS_URL", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.flood:
        asyncio.run(flood(args.flood))
    print(f"{'the quick model':<34} {'asked':>7} {'p50 ms':>8} {'p99 ms':>8} {'worst ms':>9}  errors")
    for name in [args.only] if args.only else SCENES:
        with (
            tempfile.TemporaryDirectory(prefix="scurry-neighbours-") as folder,
            Up(Path(folder) / "up", say, "--workers", str(WORKERS)) as up,
        ):
            at = up.wait_until_ready()
            tiny = models.make(Path(folder) / "models")["tiny"]
            register_one(at, "tiny", tiny.file, tiny.max_batch_size)
            for quick in asyncio.run(SCENES[name](at, up.pid, Path(folder))):
                print(quick.line(), flush=True)
    print(json.dumps({"limit_mb": LIMIT_BYTES >> 20, "workers": WORKERS, "rate": RATE}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
