"""Pools of workers in one job: each holds its own models, and fails by itself."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.doubling import save_double
from tests.e2e.test_backlog import wait_for_checkpoint
from tests.e2e.test_lost_worker import processes, restarted_at, wait_for_restart

from scurry.client.client import Client
from scurry.wire.errors import Unavailable

POOL = ("--pool", "gpu")
ANSWERED = re.compile(r'^scurry_worker_requests_total\{.*model="(\w+)".*code="ok"\} (\d+)', re.MULTILINE)


def answered(stack: Stack) -> dict[str, dict[str, int]]:
    """By pool: how many requests of each model its worker answered."""
    counts: dict[str, dict[str, int]] = {}
    for url, pool in zip(stack.info["worker_urls"], stack.info["worker_pools"], strict=True):
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            text = answer.read().decode()
        assert f'scurry_worker_info{{pool="{pool}"}} 1' in text
        counts[pool] = {model: int(count) for model, count in ANSWERED.findall(text)}
    return counts


async def ask(client: Client, model: str, count: int) -> None:
    """So many requests at once, each with its own right answer."""
    asked = [client.infer(model, {"x": np.full((1, 1), n, np.float32)}, timeout=90) for n in range(count)]
    assert [float(one["y"][0, 0]) for one in await asyncio.gather(*asked)] == [2.0 * n for n in range(count)]


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Stack]:
    """A `scurry up` with one worker in the default pool."""
    stack = Stack(folder, "--workers", "1", *flags)
    try:
        yield stack
    finally:
        assert stack.stop() == 0


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[Stack]:
    """With a worker in the pool `gpu` as well; a model in each, of the same file."""
    with running(tmp_path / "up", "--worker-pool", "gpu=1") as stack:
        stack.register("here", save_double(tmp_path / "double.onnx"))
        stack.register("there", tmp_path / "double.onnx", "1", *POOL)
        yield stack


async def test_each_pool_has_its_models_and_its_losses(pools: Stack, tmp_path: Path) -> None:
    """Only its workers answer for a model; the only worker of one may die, and its callers wait; a third is none."""
    shown = json.loads(pools.run("models", "show", "there", "--json").stdout)
    assert [one["pool"] for one in shown["versions"]] == ["gpu"]
    uri = ("--uri", str(tmp_path / "double.onnx"))
    refused = pools.run("models", "register", "nowhere", *uri, "--pool", "tpu", check=False)
    assert refused.returncode == 1
    assert "no endpoint for pool 'tpu' (scurry/inference.tpu); its pools are default, gpu" in refused.stderr
    moved = pools.run("models", "register", "there", *uri, "--version", "1", check=False)
    assert "takes requests in pool 'gpu', and stays there" in moved.stderr
    async with Client(pools.redis_url) as client:
        await asyncio.gather(ask(client, "here", 20), ask(client, "there", 30))
        assert await asyncio.to_thread(answered, pools) == {"default": {"here": 20}, "gpu": {"there": 30}}
        before = processes(pools)
        os.kill(before["worker-1"]["pid"], signal.SIGKILL)
        waiting = asyncio.create_task(ask(client, "there", 30))
        await ask(client, "here", 20)
        await waiting
    after = await asyncio.to_thread(wait_for_restart, pools, "worker-1", 30)
    assert [after[name]["restarts"] for name in ("worker-0", "worker-1", "job")] == [0, 1, 0]
    assert await asyncio.to_thread(answered, pools) == {"default": {"here": 40}, "gpu": {"there": 30}}
    text = pools.run("status", "--dir", str(pools.dir)).stdout
    assert "worker-1 (gpu)" in text


async def test_a_job_without_a_pool_says_so_and_one_with_it_again_goes_on(tmp_path: Path) -> None:
    """Its models are still registered: callers are told why nobody answers, and nothing restarts over it."""
    pool = ("--worker-pool", "gpu=1")
    uri = save_double(tmp_path / "double.onnx")
    with running(tmp_path / "up", *pool) as stack:
        stack.register("here", uri)
        stack.register("there", uri, "1", *POOL)
        await asyncio.to_thread(wait_for_checkpoint, stack)  # what is read again would be refused
    with running(tmp_path / "up") as stack:
        async with Client(stack.redis_url) as client:
            await ask(client, "here", 3)
            with pytest.raises(Unavailable, match=r"no endpoint for scurry/inference\.gpu"):
                await ask(client, "there", 1)
        refused = stack.run("models", "register", "there", "--uri", str(uri), "--version", "2", *POOL, check=False)
        assert "its pools are default." in refused.stderr
        assert await asyncio.to_thread(restarted_at, stack) == 0
    with running(tmp_path / "up", *pool) as stack:
        async with Client(stack.redis_url) as client:
            await ask(client, "there", 3)
