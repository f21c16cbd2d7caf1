"""What splits and switches promise, under load: `python -m benchmarks.splits`.

1. A split of 90 to 10 over 100,000 ids, the job killed half-way: the share, whether each id got the version that the
   rule gives it before and after, and whether the counters are exactly the answers.
2. 200 moves of an alias at half of capacity: errors, answers by another version than the one stamped on them, and the
   99th percentile beside that of the same load without moves.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import redis
from onnx import TensorProto, helper, numpy_helper

from scurry.client.client import Client
from scurry.router.split import pick
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Alias, Promote, Register, Split, Update
from scurry.wire.tensors import to_array, to_tensor

IDS = int(os.environ.get("SPLIT_IDS", "100000"))
FLIPS = 200
FLIP_EVERY_S = 0.1
REPLIES = "scurry:replies:splits"
MODEL = "split"
AT_ONCE = 1_000
CALLERS = 32
BODY = InferRequest(inputs=[to_tensor("x", np.ones((1, 1), np.float32))]).SerializeToString()


def save(path: Path, factor: float) -> None:
    """A model whose answer tells which version it is."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy")
    given = [numpy_helper.from_array(np.array([factor], np.float32), "f")]
    graph = helper.make_graph([helper.make_node("Mul", ["x", "f"], ["y"])], "m", [x], [y], given)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def start(folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A `scurry up` of one's own, once it is ready."""
    words = ["-m", "scurry", "up", "--dir", str(folder), "--workers", "1", "--gateways", "1"]
    words += ["--checkpoint-interval", "2s"]
    up = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert up.stdout
    line = next((line for line in up.stdout if "scurry is ready" in line), "")
    assert line, "scurry up did not get ready"
    return up, json.loads((folder / "scurry.json").read_text())


async def register(at: dict[str, Any], folder: Path) -> None:
    """Version 1 doubles, version 2 triples."""
    async with Client(at["redis_url"]) as client:
        for version, factor in (("1", 2.0), ("2", 3.0)):
            save(folder / f"{version}.onnx", factor)
            uri = str(folder / f"{version}.onnx")
            await client.update(Update(model=MODEL, register=Register(version=version, uri=uri, runtime="onnx")))
            await client.update(Update(model=MODEL, promote=Promote(version="1")))
        await client.update(Update(model=MODEL, split=Split(weights={"1": 90, "2": 10})))


def job_of(up: int) -> int:
    """The Java process below a `scurry up`."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in found.splitlines()]
    return next(int(pid) for pid, parent, name in rows if name.strip() == "java" and int(parent) == up)


def split(at: dict[str, Any], up: int) -> None:
    """The first table."""
    door = redis.Redis.from_url(at["redis_url"], protocol=2)
    sent, killed = 0, False
    begin = time.perf_counter()
    while sent < IDS:
        pile = door.pipeline(transaction=False)
        for number in range(sent, sent + 250):
            fields = {"model": MODEL, "id": f"split-{number}", "request": BODY, "reply": REPLIES, "keep": "0"}
            pile.xadd("scurry:requests", fields)
        pile.execute()
        sent += 250
        if not killed and sent >= IDS // 2:
            os.kill(job_of(up), signal.SIGKILL)
            killed = True
        while sent - door.xlen(REPLIES) > AT_ONCE:
            time.sleep(0.01)
    while door.xlen(REPLIES) < IDS:
        time.sleep(0.05)
    seconds = time.perf_counter() - begin
    answers = [fields for _, fields in door.xrange(REPLIES)]
    weights, shown = [("1", 90), ("2", 10)], json.loads(door.hget("scurry:models", MODEL) or b"{}")
    experiment = f"{MODEL}/{shown['experiment']}"
    strays = sum(pick(weights, experiment, one[b"id"].decode()) != one[b"version"].decode() for one in answers)
    by_version = Counter((one[b"version"].decode(), one.get(b"error", b"").decode()) for one in answers)
    counted: Counter[tuple[str, str]] = Counter()
    for _ in range(100):
        record = json.loads(door.hget("scurry:models", MODEL) or b"{}")
        counted = Counter({(each["version"], ""): each["ok"] for each in record["versions"]})
        for each in record["versions"]:
            counted.update({(each["version"], code): count for code, count in each["errors"].items()})
        if +counted == by_version:
            break
        time.sleep(0.1)
    share = 100 * by_version["2", ""] / len(answers)
    print(f"split 90/10   {len(answers)} answers in {seconds:.0f} s, killed at {IDS // 2}: {share:.2f} % by version 2;")
    print(f"              {strays} not by the rule's version; counters are the answers: {+counted == by_version}")
    if +counted != by_version:
        print(f"              counted {dict(counted)}, answered {dict(by_version)}")


class Tally:
    """What came of a load."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()
        self.strays = 0
        self.seconds: list[float] = []

    async def ask(self, client: Client) -> None:
        """One request for the alias."""
        begin = time.perf_counter()
        fields = await client.submit(MODEL, BODY, version="live", timeout=30)
        self.seconds.append(time.perf_counter() - begin)
        if fields[b"status"] != b"ok":
            self.errors[fields[b"error"].decode()] += 1
            return
        (output,) = InferReply.FromString(fields[b"reply"]).outputs
        self.strays += to_array(output).item() != {b"1": 2.0, b"2": 3.0}[fields[b"version"]]

    def percentile(self) -> float:
        """The 99th, in ms."""
        return float(np.percentile(self.seconds, 99)) * 1000


async def closed(client: Client, seconds: float) -> float:
    """Requests a second of so many callers."""
    tally, end = Tally(), time.perf_counter() + seconds

    async def caller() -> None:
        while time.perf_counter() < end:
            await tally.ask(client)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return len(tally.seconds) / seconds


async def paced(client: Client, rate: float, seconds: float) -> Tally:
    """A steady rate, whatever becomes of the requests."""
    tally, tasks, begin, sent = Tally(), set[asyncio.Task[None]](), time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < seconds:
        while sent < rate * passed:
            task = asyncio.create_task(tally.ask(client))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        await asyncio.sleep(0.002)
    await asyncio.gather(*tasks)
    return tally


async def flips(at: dict[str, Any]) -> None:
    """The second table."""
    async with Client(at["redis_url"]) as client, Client(at["redis_url"]) as admin:
        await admin.update(Update(model=MODEL, alias=Alias(alias="live", version="1")))
        await closed(client, 5)  # warm
        capacity = await closed(client, 5)
        seconds = FLIPS * FLIP_EVERY_S
        still = await paced(client, capacity / 2, seconds)

        async def move() -> int:
            for number in range(FLIPS):
                version = "2" if number % 2 == 0 else "1"
                await asyncio.gather(
                    admin.update(Update(model=MODEL, alias=Alias(alias="live", version=version))),
                    asyncio.sleep(FLIP_EVERY_S),
                )
            return FLIPS

        moving = asyncio.create_task(move())
        moved = await paced(client, capacity / 2, seconds)
        await moving
    print(f"{FLIPS} flips     at {capacity / 2:.0f} requests/s, half of {capacity:.0f} with {CALLERS} callers: "
          f"{sum(moved.errors.values())} errors {dict(moved.errors)}, {moved.strays} answers by another version;")
    print(f"              p99 {moved.percentile():.1f} ms, {still.percentile():.1f} ms without flips, "
          f"ratio {moved.percentile() / still.percentile():.2f}")


def main() -> None:
    """Both."""
    with tempfile.TemporaryDirectory() as name:
        up, at = start(Path(name) / "up")
        try:
            asyncio.run(register(at, Path(name)))
            split(at, up.pid)  # first: it counts all that the versions ever answered
            asyncio.run(flips(at))
        finally:
            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=60)


if __name__ == "__main__":
    main()
