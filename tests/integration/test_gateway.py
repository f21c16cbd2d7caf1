"""The gateway's process: a real Redis, no job behind it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import Authority
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
        found = re.search(r"waiting for Redis: .* (http://[\d.:]+) says so meanwhile", child.stderr.readline())
        assert found
        assert get(f"{found[1]}/v2/health/live") == (200, {"live": True})
        status, told = get(f"{found[1]}/v2/health/ready")
        assert (status, told["ready"]) == (503, False)
        status, told = get(f"{found[1]}/v2/models/m/infer", BODY)
        assert (status, told["code"]) == (503, "unavailable")
        assert "Redis has not answered" in told["error"]
        kept = http.client.HTTPConnection(found[1].removeprefix("http://"), timeout=20)
        kept.request("GET", "/v2")
        with kept.getresponse() as early:
            assert (early.status, bool(early.read())) == (503, True)
        command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            ready = iter(child.stderr.readline, "")
            assert any("gateway ready" in line for line in ready)
            kept.request("GET", "/v2")  # a connection of before serves as any
            with kept.getresponse() as later:
                assert (later.status, bool(later.read())) == (200, True)
            kept.close()
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 0
            server.terminate()
    with subprocess.Popen(gateway_command(f"redis://127.0.0.1:{port}/0"), stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        assert "waiting for Redis" in child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


KEY, NEW = "key-of-the-build-machine", "another-key-of-the-machine"


def test_keys_and_tls_are_asked_and_read_again(redis_server: Any, tmp_path: Path) -> None:
    """Over HTTPS and with a key alone; a changed file holds a moment later; probes need none; metrics are secured."""
    authority, keys, metrics = Authority(tmp_path), tmp_path / "keys", free_port()
    cert, private = authority.sign("server")
    keys.write_text(f"ci {KEY} infer,read\n")
    guarded = ["--api-keys", str(keys), "--tls-cert", cert, "--tls-key", private, "--metrics-port", str(metrics)]
    trusting = ssl.create_default_context(cafile=str(authority.file))

    def status(url: str, key: str = "") -> int:
        asked = urllib.request.Request(url, headers={"X-API-Key": key} if key else {})
        try:
            with urllib.request.urlopen(asked, timeout=20, context=trusting) as answer:
                assert not answer.headers["Server"]
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                assert b"Traceback" not in refused.read()
                return refused.code

    with subprocess.Popen([*gateway_command(redis_server.url), *guarded], stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        lines = iter(child.stderr.readline, "")
        url = next(found[1] for line in lines if (found := re.search(r"gateway ready on (https://[\d.:]+)", line)))
        assert [status(f"{url}/v2/health/live"), status(f"{url}/v2"), status(f"{url}/v2", KEY)] == [200, 401, 200]
        assert status(f"{url}/v2", NEW) == 401
        assert status(f"https://127.0.0.1:{metrics}/metrics") == 200
        keys.write_text(f"ci {NEW} infer,read\n")
        end = time.monotonic() + 20
        while status(f"{url}/v2", NEW) != 200 and time.monotonic() < end:
            time.sleep(0.1)
        assert [status(f"{url}/v2", KEY), status(f"{url}/v2", NEW)] == [401, 200]
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


@pytest.mark.parametrize("flags", [["--api-keys", "no-such-file"], ["--tls-cert", "no.crt"], ["--cors-origins", "x"]])
def test_what_cannot_guard_is_one_sentence(redis_server: Any, flags: list[str]) -> None:
    """And exit status 2: a gateway does not start unguarded."""
    command = [*gateway_command(redis_server.url), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert flags[0] in done.stderr
    assert "Traceback" not in done.stderr
