"""Triton's statistics tell where the time of requests went, and count each of them once."""

from __future__ import annotations

import json
import os
import signal
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Stack
from tests.doubling import save_double
from tests.e2e.test_kill import wait

BODY = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1.0]}]}).encode()
WRONG = BODY.replace(b'"shape": [1, 1], "data": [1.0]', b'"shape": [1, 2], "data": [1.0, 2.0]')
REQUESTS = 200
STAGES = ("compute_input", "compute_infer", "compute_output")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A `scurry up` whose worker may be killed, with a model of one version."""
    stack = Stack(tmp_path / "up", "--workers", "2", "--checkpoint-interval", "1s")
    try:
        stack.register("times", save_double(tmp_path / "d.onnx") or tmp_path / "d.onnx")
        yield stack
    finally:
        stack.stop()


def ask(stack: Stack, body: bytes = BODY) -> int:
    """One request over HTTP; its status."""
    asked = urllib.request.Request(f"{stack.http_url}/v2/models/times/infer", body)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def stats(stack: Stack) -> dict[str, Any]:
    """The only entry of the model's statistics."""
    with urllib.request.urlopen(f"{stack.http_url}/v2/models/times/stats", timeout=10) as answer:
        (told,) = json.load(answer)["model_stats"]
    return dict(told)


def counts(stack: Stack) -> tuple[int, int]:
    """How many were answered, and how many failed."""
    told = stats(stack)["inference_stats"]
    return told["success"]["count"], told["fail"]["count"]


def test_the_time_of_requests_is_split_and_a_lost_worker_counts_nothing_twice(own: Stack) -> None:
    """Every stage has a share, together they are the whole; a worker is killed half-way, and each counts once."""
    assert [ask(own) for _ in range(REQUESTS)] == [200] * REQUESTS
    assert [ask(own, WRONG) for _ in range(3)] == [400] * 3
    wait("the counts arrive", 15, lambda: counts(own) == (REQUESTS, 3))
    told = stats(own)
    split = told["inference_stats"]
    assert [split[stage]["count"] for stage in STAGES] == [REQUESTS] * 3
    assert min(split[stage]["ns"] for stage in STAGES) > 0
    assert sum(split[stage]["ns"] for stage in (*STAGES, "queue")) == split["success"]["ns"]
    assert told["inference_count"] == REQUESTS
    assert told["last_inference"] > 1_600_000_000_000

    halfway, answered = threading.Event(), [0]

    def one(number: int) -> int:
        if number == REQUESTS // 2:
            halfway.set()
        status = ask(own)
        answered[0] += 1
        return status

    with ThreadPoolExecutor(16) as pool:
        running = [pool.submit(one, number) for number in range(REQUESTS)]
        assert halfway.wait(60)
        os.kill(own.info["processes"]["worker-1"]["pid"], signal.SIGKILL)
        statuses = [each.result() for each in running]
    assert statuses == [200] * REQUESTS
    wait("the counts arrive", 30, lambda: counts(own) == (2 * REQUESTS, 3))
    later = stats(own)
    assert later["last_inference"] > told["last_inference"]
    for stage in STAGES:
        assert later["inference_stats"][stage]["ns"] > split[stage]["ns"]
    page = urllib.request.urlopen(own.info["metrics_url"], timeout=10).read().decode()
    for stage in ("input", "compute", "output"):
        assert f'scurry_stage_seconds_total{{model="times",version="1",stage="{stage}"}}' in page
    shown = own.run("models", "show", "times").stdout
    assert "version 1 at its workers, mean ms: input" in shown
