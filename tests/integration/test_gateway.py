"""The gateway's process: a real Redis, no job behind it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import free_port, redis_binary

from scurry.serving.readiness import GATEWAY_LINE

BODY = json.dumps({"inputs": [{"name": "x", "shape": [2], "datatype": "INT32", "data": [1, 2]}]}).encode()


@dataclass
class Process:
    """A `scurry gateway` of its own."""

    child: subprocess.Popen[str]
    url: str


def gateway_command(redis_url: str, port: str = "0") -> list[str]:
    """How a container starts it."""
    return [
        sys.executable, "-m", "scurry", "gateway", "--http-port", port, "--grpc-port", "0",
        "--redis-url", redis_url, "--namespace", "gateway-test",
    ]  # fmt: skip


@pytest.fixture
def process(redis_server: Any) -> Iterator[Process]:
    """The gateway's process, with a Redis but no job behind it."""
    command = gateway_command(redis_server.url)
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert child.stderr
    try:
        found = re.search(r"gateway ready on (http://[\d.:]+)", child.stderr.readline())
        assert found
        yield Process(child, found[1])
    finally:
        child.kill()
        child.communicate()


def get(url: str, body: bytes | None = None) -> tuple[int, Any]:
    """Status and JSON."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_without_a_job_the_process_lives_but_is_not_ready(process: Process) -> None:
    """A request is answered with 504 in its own time, and SIGTERM ends the process with 0."""
    assert get(f"{process.url}/v2/health/live") == (200, {"live": True})
    status, told = get(f"{process.url}/v2/health/ready")
    assert (status, told["ready"], told["redis"]) == (503, False, "ok")
    assert told["job"] != "ok"
    impatient = json.dumps(json.loads(BODY) | {"parameters": {"timeout": 200_000}}).encode()
    status, told = get(f"{process.url}/v2/models/m/infer", impatient)
    assert (status, told["code"]) == (504, "deadline_exceeded")
    status, told = get(f"{process.url}/v2/models/m")
    assert (status, told["code"]) == (504, "deadline_exceeded")  # only the job knows that there is none
    process.child.send_signal(signal.SIGTERM)
    assert process.child.wait(10) == 0


def test_a_taken_port_is_one_sentence(process: Process, redis_server: Any) -> None:
    """And exit status 1."""
    command = gateway_command(redis_server.url, process.url.rpartition(":")[2])
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_says_that_it_listens_however_quiet_it_is(redis_server: Any) -> None:
    """Whoever started several behind one port waits for the line of each."""
    command = [*gateway_command(redis_server.url), "--reuse-port", "--log-level", "error"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        assert GATEWAY_LINE in child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


def test_a_gateway_waits_for_redis(tmp_path: Path) -> None:
    """One that starts later, or reads its data first, is waited for; whoever is told to stop meanwhile stops."""
    port = free_port()
    with subprocess.Popen(gateway_command(f"redis://127.0.0.1:{port}/0"), stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        assert "waiting for Redis" in child.stderr.readline()
        command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            ready = iter(child.stderr.readline, "")
            assert any("gateway ready" in line for line in ready)
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 0
            server.terminate()
    with subprocess.Popen(gateway_command(f"redis://127.0.0.1:{port}/0"), stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        assert "waiting for Redis" in child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
