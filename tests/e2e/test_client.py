"""The examples of docs/client.md print what they should, against a real `scurry up`, over Redis and HTTP."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.conftest import ROOT, clean_environment
from tests.doubling import save_double

import scurry
from scurry import BlockingClient, Client, InvalidRequest, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Stack

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "client.md").read_text(), re.DOTALL)
MODEL = "client-double"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples are run, with the model they register."""
    made = tmp_path_factory.mktemp("client")
    save_double(made / "double.onnx")
    return made


def run(block: str, stack: Stack, folder: Path) -> list[str]:
    """What an example prints, told this stack's addresses and a model name of our own."""
    for there, here in {
        "http://localhost:8000": stack.http_url, "redis://127.0.0.1:6379/0": stack.redis_url, '"double"': f'"{MODEL}"',
    }.items():  # fmt: skip
        block = block.replace(there, here)
    environ = clean_environment() | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_examples_do_what_they_say(stack: Stack, folder: Path) -> None:
    """In the order of the page: each goes on from the one before."""
    printed = [run(block, stack, folder) for block in BLOCKS]
    assert printed == [
        ["[[3.0], [4.0]]", "[[6.0], [8.0]]"] * 2,
        [str(float(2 * sum(range(1000))))],
        ["42.0", "42.0", "result_not_found"],
        ["not found: model_not_found"],
        ["{'2': 1} {'next': '2'}", "True", "[]", "False"],
    ]


async def test_both_ways_give_the_same(stack: Stack, folder: Path) -> None:
    """Answers, errors and records, through the real job."""
    async with Client(stack.redis_url) as redis, Client(stack.http_url) as http:
        await http.registry.register("client-same", folder / "double.onnx", version="1")
        big = np.arange(50_000, dtype=np.float32).reshape(-1, 1)
        told = []
        for client in (redis, http):
            assert await client.ready()
            assert await client.ready("client-same")
            outputs = await client.infer("client-same", big)
            np.testing.assert_array_equal(outputs["y"], 2 * big)
            failures = []
            for model, inputs in (("client-same", {"z": [[1.0]]}), ("client-nobody", {"x": [[1.0]]})):
                with pytest.raises((InvalidRequest, NotFound)) as caught:
                    await client.infer(model, inputs)
                failures.append((type(caught.value), caught.value.code, caught.value.message))
            replies = [reply async for reply in client.stream("client-same", ([[float(n)]] for n in range(300)))]
            assert [reply.outputs["y"].item() for reply in replies] == [2 * n for n in range(300)]
            pending = await client.start("client-same", [[4.0]])
            assert (await pending)["y"].item() == 8.0
            told.append(failures)
        assert [each[:2] for each in told[0]] == [each[:2] for each in told[1]]
        # of a model that is not there the gateway speaks as Triton does, and then as the job does
        assert all(there[2].endswith(here[2]) for here, there in zip(*told, strict=True))
        records = [await client.registry.record("client-same") for client in (redis, http)]
        assert records[0]["versions"][0]["uri"] == records[1]["versions"][0]["uri"] == str(folder / "double.onnx")
        await redis.registry.unregister("client-same")
        async with asyncio.timeout(30):  # a gateway's view is up to a second old
            while await http.ready("client-same"):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.1)


def test_what_cannot_be_loaded_says_why_over_both(stack: Stack, folder: Path) -> None:
    """With one code, from a method that blocks."""
    (folder / "broken.onnx").write_bytes(b"no model")
    for url in (stack.redis_url, stack.http_url):
        with BlockingClient(url) as client:
            with pytest.raises(scurry.Failed) as caught:
                client.registry.register("client-broken", folder / "broken.onnx")
            assert caught.value.code == "load_failed"
            client.registry.unregister("client-broken")
