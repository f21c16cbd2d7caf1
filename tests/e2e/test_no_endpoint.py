"""A function that nobody serves costs its callers an error each, and the job nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis
from tests.conftest import Stack

WAIT_S = 30


def answer(client: redis.Redis, request_id: str) -> dict[str, str]:
    """The result, once it is there."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = client.hgetall(f"scurry:result:{request_id}")
        if found:
            return {name.decode(): value.decode() for name, value in found.items()}
        time.sleep(0.05)
    pytest.fail(f"{request_id} was not answered within {WAIT_S} s")


def test_a_function_without_an_endpoint_does_not_restart_the_job(tmp_path: Path) -> None:
    """Every request to it is answered, and so is whoever asks for something else."""
    stack = Stack(tmp_path)
    try:
        stack.run("models", "register", "ghost", "--uri", "demo/nobody", "--runtime", "function", check=False)
        client = redis.Redis.from_url(stack.redis_url)
        for number in range(3):
            client.xadd("scurry:requests", {"model": "ghost", "id": f"g{number}", "inputs": '{"inputs":[]}'})
            assert answer(client, f"g{number}")["error"] in ("unavailable", "model_not_found", "model_not_ready")
        client.xadd("scurry:requests", {"model": "unheard-of", "id": "other", "inputs": '{"inputs":[]}'})
        assert answer(client, "other")["error"] == "model_not_found"
        assert client.hget("scurry:job", "restarts") == b"0"
    finally:
        stack.stop()
