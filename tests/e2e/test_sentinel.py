"""Redis behind Sentinels: its master dies under load, another takes over, and everything goes on."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from tests.conftest import Stack, free_port, redis_binary, wait_for_redis
from tests.doubling import save_double

from scurry.client.client import Client
from scurry.wire.errors import ScurryError

SECONDS, RATE, PAUSE = 12.0, 60, 3.0


class Guarded:
    """A master, a replica and three Sentinels."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._processes = folder, dict[int, subprocess.Popen[bytes]]()
        self.master, self.replica = free_port(), free_port()
        self._redis(self.master)
        self._redis(self.replica, "--replicaof", "127.0.0.1", str(self.master))
        self.sentinels = [self._sentinel() for _ in range(3)]
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self.sentinels)}/main/0"

    def _redis(self, port: int, *more: str) -> None:
        self._start(port, "--save", "", "--repl-diskless-sync-delay", "0", *more)

    def _sentinel(self) -> int:
        port = free_port()
        path = self._folder / f"sentinel-{port}.conf"
        path.write_text(
            f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {self.master} 2\n"
            "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n"
        )
        self._start(port, str(path), "--sentinel")
        return port

    def _start(self, port: int, *words: str) -> None:
        if words[0].startswith("--"):
            words = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(self._folder), *words)
        with (self._folder / f"{port}.log").open("wb") as log:
            self._processes[port] = subprocess.Popen([redis_binary(), *words], stdout=log)
        wait_for_redis(port, 10)

    async def settled(self) -> None:
        """Return once the replica follows and the Sentinels know it and each other."""
        for _ in range(300):
            link = redis.Redis(port=self.replica).info("replication")["master_link_status"]
            told = [redis.Redis(port=port).sentinel_masters()["main"] for port in self.sentinels]
            if link == "up" and all((one["num-slaves"], one["num-other-sentinels"]) == (1, 2) for one in told):
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the Sentinels did not find each other")

    def kill_master(self) -> None:
        """As a machine dies."""
        self._processes[self.master].kill()
        self._processes[self.master].wait(10)

    def return_as_replica(self) -> None:
        """The old master comes back, empty, and learns from the Sentinels what it is now."""
        self._redis(self.master)

    def stop(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.kill()
            process.wait(10)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """Ended however the test does."""
    made = Guarded(tmp_path)
    try:
        yield made
    finally:
        made.stop()


class Asked:
    """What became of requests."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.wrong = 0

    async def one(self, client: Client, number: int) -> None:
        """Ask for the double of a number."""
        try:
            found = await client.infer("d", {"x": np.full((1, 1), number, np.float32)}, timeout=20)
        except ScurryError as cause:
            self.codes[cause.code] += 1
        else:
            self.codes["ok"] += 1
            self.wrong += found["y"].tolist() != [[2.0 * number]]


async def load(url: str, guarded: Guarded) -> Asked:
    """A steady load, in the midst of which the master dies."""
    asked, loop = Asked(), asyncio.get_running_loop()
    async with Client(url) as client:
        begin, tasks = loop.time(), list[asyncio.Task[Any]]()
        killed = False
        for number in range(int(SECONDS * RATE)):
            await asyncio.sleep(max(0.0, begin + number / RATE - loop.time()))
            if not killed and loop.time() - begin > PAUSE:
                guarded.kill_master()
                killed = True
            tasks.append(asyncio.create_task(asked.one(client, number)))
        await asyncio.gather(*tasks)
    return asked


async def test_a_failover_under_load(guarded: Guarded, tmp_path: Path) -> None:
    """No answer is wrong; what is lost was acknowledged by the old master and not replicated; all goes on."""
    await guarded.settled()
    save_double(tmp_path / "d.onnx")
    stack = Stack(tmp_path / "up", "--workers", "1", "--redis-url", guarded.url)
    try:
        stack.register("d", tmp_path / "d.onnx")
        asked = await load(guarded.url, guarded)
        print(f"{sum(asked.codes.values())} asked around a fail-over: {dict(asked.codes)}")
        assert asked.wrong == 0
        assert asked.codes["ok"] > 0.9 * SECONDS * RATE
        assert set(asked.codes) <= {"ok", "deadline_exceeded", "unavailable"}
        told = redis.Redis(port=guarded.sentinels[0]).sentinel_masters()["main"]
        assert told["port"] == guarded.replica
        guarded.return_as_replica()
        stack.register("after", tmp_path / "d.onnx")  # over the gateway's view, the job, a worker
        async with Client(guarded.url) as client:
            found = await client.infer("after", {"x": np.ones((1, 1), np.float32)}, timeout=30)
        assert found["y"].tolist() == [[2.0]]
        restarts = redis.Redis(port=guarded.replica, decode_responses=True).hget("scurry:job", "restarts")
        assert restarts == "0"
    finally:
        assert stack.stop() == 0
