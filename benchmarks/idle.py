"""What callers cost that only wait: long polls, streams, idle connections.

`python -m benchmarks.idle` starts a Redis and a gateway of its own, no job behind them, and prints figures. It needs
12,000 files open in each of two processes (`ulimit -n`).
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from benchmarks import machine
from tests.conftest import free_port, redis_binary, wait_for_redis

from scurry.client.client import Client

POLLS, STREAMS, IDLE = 10_000, 2_000, 5_000
AT_ONCE = 200
SECONDS = 6.0
TURNS = 5
RECORD = {"versions": [{"version": "1", "state": "ready", "requests": 1, "ok": 1}], "aliases": {}, "routes": {"1": 1}}
BODY = json.dumps({"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}).encode()


class Caller(asyncio.Protocol):
    """A connection that asks once and counts what comes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.received, self.events = data, 0, 0
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = cast("asyncio.Transport", transport)
        if self.data:
            self.transport.write(self.data)

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.received += len(data)
        self.events += data.count(b"event: ")

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002 - asyncio's name
        """The gateway closed it, or we did."""
        if not self.gone.done():
            self.gone.set_result(None)


@contextmanager
def gateway() -> Iterator[tuple[int, int, str]]:
    """Its port and pid, and the address of Redis."""
    redis_port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [redis_binary(), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for_redis(redis_port, 10)
        url = f"redis://127.0.0.1:{redis_port}/0"
        words = [sys.executable, "-m", "scurry", "gateway", "--http-port", "0", "--metrics-port", "0"]
        process = subprocess.Popen([*words, "--redis-url", url], stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr
            found = re.search(r"gateway ready on http://[\d.]+:(\d+)", process.stderr.readline())
            assert found, "the gateway did not start"
            yield int(found[1]), process.pid, url
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()
                redis.terminate()
                redis.wait(10)


async def connect(port: int, asked: Sequence[bytes]) -> list[Caller]:
    """A connection for each of these, so many at a time."""
    loop = asyncio.get_running_loop()
    callers: list[Caller] = []
    for at in range(0, len(asked), AT_ONCE):
        made = [
            loop.create_connection(lambda data=data: Caller(data), "127.0.0.1", port)  # type: ignore[misc]
            for data in asked[at : at + AT_ONCE]
        ]
        callers += [caller for _, caller in await asyncio.gather(*made)]
    return callers


async def part(callers: list[Caller]) -> None:
    """Close them all."""
    for caller in callers:
        caller.transport.close()
    await asyncio.gather(*(caller.gone for caller in callers))
    await asyncio.sleep(1.0)


def get(target: str, *headers: str) -> bytes:
    """A request without a body."""
    return "\r\n".join((f"GET {target} HTTP/1.1", "Host: x", *headers, "", "")).encode()


async def ask(port: int, data: bytes) -> dict[str, Any]:
    """The JSON of one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    text = await reader.read()
    writer.close()
    document: dict[str, Any] = json.loads(text.partition(b"\r\n\r\n")[2])
    return document


async def submit(port: int, count: int) -> list[str]:
    """Ids of requests that nobody will answer."""
    head = "POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\nPrefer: respond-async\r\nConnection: close\r\n"
    data = f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    ids: list[str] = []
    while len(ids) < count:
        ids += [one["id"] for one in await asyncio.gather(*(ask(port, data) for _ in range(AT_ONCE)))]
    return ids[:count]


async def latency(port: int, seconds: float = SECONDS) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds, of one caller who asks whether the gateway lives."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        writer.write(get("/v2/health/live"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length
        await reader.readexactly(int(length[1]))
        taken.append((time.perf_counter() - begin) * 1000)
        await asyncio.sleep(0.001)
    writer.close()
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def middle(turns: list[tuple[float, float]]) -> str:
    """The middle turn's figures."""
    medians, nineties = zip(*turns, strict=True)
    return f"median {statistics.median(medians):.3f} ms, p99 {statistics.median(nineties):.3f} ms"


def memory_mb(pid: int) -> float:
    """What a process has in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


async def cpu_share(pid: int, seconds: float = SECONDS) -> float:
    """The part of a core that a process takes."""
    before = machine.cpu_seconds({pid: "gateway"})["gateway"]
    await asyncio.sleep(seconds)
    return (machine.cpu_seconds({pid: "gateway"})["gateway"] - before) / seconds


async def measure(port: int, pid: int, url: str) -> None:
    """Everything, one after the other."""
    print(f"gateway, nobody there: {memory_mb(pid):.0f} MB; {await cpu_share(pid):.1%} of a core")
    async with Client(url) as client:
        await client.command("HSET", client.keys.models, "m", json.dumps(RECORD))
    alone, beside, shares = [], [], []
    for _ in range(TURNS):
        alone.append(await latency(port, SECONDS / 2))
        held = await connect(port, [b""] * IDLE)
        beside.append(await latency(port, SECONDS / 2))
        shares.append(await cpu_share(pid, SECONDS / 2))
        idle_mb = memory_mb(pid)
        await part(held)
    print(f"one caller alone, {TURNS} turns: {middle(alone)}")
    print(f"beside {IDLE} idle connections: {middle(beside)}; {idle_mb:.0f} MB; "
          f"{statistics.median(shares):.1%} of a core without the caller")  # fmt: skip
    ids = await submit(port, POLLS)
    print(f"{POLLS} requests submitted: {memory_mb(pid):.0f} MB")
    polls = await connect(port, [get(f"/v2/results/{one}?wait=60") for one in ids])
    await asyncio.sleep(2.0)
    share, with_polls = await cpu_share(pid), middle([await latency(port, SECONDS / 2)])
    waiting = sum(not caller.gone.done() and not caller.received for caller in polls)
    print(f"{waiting} idle long polls: {memory_mb(pid):.0f} MB; {share:.1%} of a core; "
          f"one caller beside them: {with_polls}")  # fmt: skip
    await part(polls)
    events = "Accept: text/event-stream"
    followed = [get(f"/v2/results?ids={one}", events) for one in ids[: STREAMS // 2]]
    streams = await connect(port, followed + [get("/v2/statistics/m", events)] * (STREAMS // 2))
    share = await cpu_share(pid)
    live = [caller.events for caller in streams[STREAMS // 2 :]]
    print(f"{sum(not caller.gone.done() and caller.received > 0 for caller in streams)} open streams: "
          f"{memory_mb(pid):.0f} MB; {share:.1%} of a core; statistics: at least {min(live)} events each")  # fmt: skip
    await part(streams)
    print(f"everybody gone: {memory_mb(pid):.0f} MB")


def main() -> None:
    """Measure and print."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    with gateway() as (port, pid, url):
        asyncio.run(measure(port, pid, url))


if __name__ == "__main__":
    main()
