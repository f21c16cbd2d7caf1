"""Every process starts before its Redis does, waits for it, and is the same process afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT, clean_environment, free_port, redis_binary, wait_for_redis
from tests.doubling import save_double

from scurry.client.client import Client
from scurry.job.jars import find as find_job
from scurry.serving import java

LATE_S = 12.0
OUTAGE = "3s"
"""So that the job gives a try up and restarts by its own strategy while Redis is away."""


def status(port: int, path: str) -> int:
    """The status of GET path; 0 when nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as cause:
        return int(cause.code)
    except OSError:
        return 0


def wait(holds: Callable[[], bool], seconds: float = 90) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.2)


class Apart:
    """Each process by itself, as containers run them; nobody starts one again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("redis", "gateway", "grpc", "metrics", "functions", "worker", "bridge")
        self.ports = {name: free_port() for name in names}
        self.url = f"redis://127.0.0.1:{self.ports['redis']}/0"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.probes = {
            "gateway": (self.ports["gateway"], "/v2/health/live", "/v2/health/ready"),
            "functions": (self.ports["functions"], "/healthz", "/readyz"),
            "worker": (self.ports["worker"], "/healthz", "/readyz"),
            "bridge": (self.ports["bridge"], "/healthz", "/readyz"),
        }

    def start(self) -> None:
        """All but Redis."""
        at = self.ports
        for name in ("functions", "worker", "bridge"):
            self._python(name, "--port", at[name])
        doors = ("--http-port", at["gateway"], "--grpc-port", at["grpc"], "--metrics-port", at["metrics"])
        self._python("gateway", *doors)
        job = find_job(os.environ, str(self._module()))
        words = java.command(java.find(os.environ), job, self.folder / "flink", ui_port=-1, memory_mb=512,
                             checkpoint_interval="2s")  # fmt: skip
        self._run("job", words)

    def _module(self) -> Path:
        """Ours, with less patience."""
        text = (ROOT / "module.yaml").read_text()
        path = self.folder / "module.yaml"
        path.write_text(text.replace("  id: scurry/re", f"  outage: {OUTAGE}\n  id: scurry/re"))
        return path

    def _python(self, name: str, *flags: object) -> None:
        self._run(name, [sys.executable, "-m", "scurry", name, *map(str, flags)])

    def _run(self, name: str, words: list[str]) -> None:
        env = clean_environment() | {
            "SCURRY_REDIS_URL": self.url,
            "SCURRY_FUNCTIONS": f"http://127.0.0.1:{self.ports['functions']}",
            "SCURRY_WORKERS": f"http://127.0.0.1:{self.ports['worker']}",
        }
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(words, env=env, stdout=log, stderr=subprocess.STDOUT)

    def start_redis(self) -> None:
        """At last."""
        port = self.ports["redis"]
        self._run("redis", [redis_binary(), "--port", str(port), "--save", "", "--dir", str(self.folder)])
        wait_for_redis(port, 10)

    def ended(self) -> list[str]:
        """Who has ended, which nobody should."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def said(self, name: str) -> str:
        """All that a process wrote."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """End what is there."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    """Ended however the test does."""
    made = Apart(tmp_path)
    try:
        yield made
    finally:
        made.stop()


def test_redis_may_come_last(apart: Apart) -> None:
    """All listen and none ends; who needs Redis says that it is not ready; all are once Redis is there, and answer."""
    apart.start()
    for port, alive, _ in apart.probes.values():
        wait(lambda port=port, alive=alive: status(port, alive) == 200)  # type: ignore[misc]
    wait(lambda: "does not serve scurry-ingress" in apart.said("job"))
    end = time.monotonic() + LATE_S
    while time.monotonic() < end:
        assert apart.ended() == []
        ready = {name: status(port, path) for name, (port, _, path) in apart.probes.items()}
        assert ready == {"gateway": 503, "functions": 200, "worker": 200, "bridge": 503}
        assert status(apart.ports["metrics"], "/metrics") == 200
        time.sleep(0.5)
    assert "has not served scurry-ingress" in apart.said("job")  # it gave up a try, and restarted by itself

    apart.start_redis()
    for port, _, path in apart.probes.values():
        wait(lambda port=port, path=path: status(port, path) == 200)  # type: ignore[misc]
    save_double(apart.folder / "d.onnx")
    asyncio.run(answered(apart))
    assert apart.ended() == []


async def answered(apart: Apart) -> None:
    """A model is registered and asked."""
    async with Client(apart.url) as client:
        await client.registry.register("d", apart.folder / "d.onnx", version="1", timeout=60)
        found = await client.infer("d", {"x": np.ones((1, 1), np.float32)}, timeout=30)
    assert found["y"].tolist() == [[2.0]]
