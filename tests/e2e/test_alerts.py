"""What alerts look at is on the pages, and moves when something is really broken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import redis
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import ROOT, Stack
from tests.doubling import save_double

from scurry.client.client import Client

RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `scurry up` with one model."""
    folder = tmp_path_factory.mktemp("alerts")
    made = Stack(folder / "up", "--workers", "1", "--checkpoint-interval", "1s")
    try:
        save_double(folder / "d.onnx")
        made.register("d", folder / "d.onnx")
        yield made
    finally:
        made.stop()


def scraped(stack: Stack) -> dict[str, float]:
    """The largest sample of each metric, over all pages."""
    found: dict[str, float] = {}
    with urllib.request.urlopen(f"{stack.info['up_url']}/targets", timeout=10) as answer:
        targets = [target for each in json.load(answer) for target in each["targets"]]
    for target in targets:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{target}/metrics", timeout=10) as answer:
            for family in text_string_to_metric_families(answer.read().decode()):
                for sample in family.samples:
                    stream = f"{{{sample.labels['stream']}}}" if "stream" in sample.labels else ""
                    name = sample.name + stream
                    found[name] = max(found.get(name, sample.value), sample.value)
    return found


def wait(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.2)


def process(stack: Stack, name: str) -> int:
    """The pid of a process just now."""
    found: int = json.loads((stack.dir / "scurry.json").read_text())["processes"][name]["pid"]
    return found


def test_every_metric_of_an_alert_is_on_a_page(stack: Stack) -> None:
    """Once the job has completed a checkpoint; the lag is of Redis 7 and later."""
    wait(lambda: "scurry_job_checkpoint_timestamp_seconds" in scraped(stack))
    there = {name.partition("{")[0] for name in scraped(stack)} | {"scurry_stream_lag"}
    assert {name for rule in RULES for name in re.findall(r"\bscurry_\w+", rule["expr"])} - there == set()
    found = scraped(stack)
    assert found["scurry_gateway_ready"] == 1
    assert abs(time.time() - found["scurry_job_checkpoint_timestamp_seconds"]) < 60
    assert 0 < found["scurry_redis_memory_bytes"] < found["scurry_redis_most_memory_bytes"]
    assert found["scurry_job_gaps_total"] == 0


def test_a_dead_letter_is_seen(stack: Stack) -> None:
    """ScurryDeadLetters."""
    before = scraped(stack)["scurry_stream_length{scurry:dead}"]
    redis.Redis.from_url(stack.redis_url).xadd("scurry:requests", {"no": "request"})
    wait(lambda: scraped(stack)["scurry_stream_length{scurry:dead}"] > before)


async def test_a_worker_that_stops_is_seen(stack: Stack) -> None:
    """ScurryRequestsBounce: what it held comes back, and is answered by the one that is started in its place."""
    before, pid = scraped(stack)["scurry_router_bounced_total"], process(stack, "worker-0")
    os.kill(pid, signal.SIGSTOP)  # so that the call is with it when it dies
    async with Client(stack.redis_url) as client:
        asked = asyncio.create_task(client.infer("d", {"x": np.ones((1, 1), np.float32)}, timeout=60))
        await asyncio.sleep(1)
        os.kill(pid, signal.SIGKILL)
        assert (await asked)["y"].tolist() == [[2.0]]
    assert scraped(stack)["scurry_router_bounced_total"] > before


def test_a_job_that_stands_still_and_one_that_is_killed_are_seen(stack: Stack) -> None:
    """ScurryNotReady and ScurryCheckpointsOverdue; ScurryJobRestarts. Afterwards all is well."""
    pid = process(stack, "job")
    os.kill(pid, signal.SIGSTOP)
    try:
        wait(lambda: scraped(stack)["scurry_gateway_ready"] == 0)
        last = scraped(stack)["scurry_job_checkpoint_timestamp_seconds"]
        time.sleep(3)
        assert scraped(stack)["scurry_job_checkpoint_timestamp_seconds"] == last
    finally:
        os.kill(pid, signal.SIGCONT)
    wait(lambda: scraped(stack)["scurry_gateway_ready"] == 1)
    began = scraped(stack)["scurry_job_started_timestamp_seconds"]
    os.kill(process(stack, "job"), signal.SIGKILL)
    wait(lambda: scraped(stack).get("scurry_job_started_timestamp_seconds", 0) > began)
    wait(lambda: scraped(stack)["scurry_gateway_ready"] == 1)
