"""Handles of the Python client over HTTP, at the real door to results."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.doubling import save_double

from scurry import BlockingClient, Client, InvalidRequest, NotFound


async def test_a_handle_a_key_and_a_refusal_over_http(stack: Stack, tmp_path: Path) -> None:
    """Results are awaited, read by others, forgotten; a key is one request; what is wrong is told at the end."""
    save_double(tmp_path / "d.onnx")
    async with Client(stack.http_url) as client:
        await client.registry.register("scratch", tmp_path / "d.onnx")
        pending = await client.start("scratch", [[4.0]])
        assert (await pending)["y"].item() == 8.0
        async with Client(stack.http_url) as other:
            assert (await other.result(pending.id, wait=10)).outputs["y"].item() == 8.0
            await other.forget(pending.id)
            with pytest.raises(NotFound):
                await other.result(pending.id)
        many = await asyncio.gather(*(client.start("scratch", np.float32([[n]])) for n in range(200)))
        assert [(await one)["y"].item() for one in many] == [2 * n for n in range(200)]
        assert (await client.infer("scratch", [[1.0]], id="key-1"))["y"].item() == 2
        assert (await client.infer("scratch", [[1.0]], id="key-1"))["y"].item() == 2
        with pytest.raises(InvalidRequest) as caught:
            await client.infer("scratch", [[2.0]], id="key-1")
        assert caught.value.code == "id_conflict"
        assert (await client.infer("scratch", np.ones((50000, 1), np.float32), retries=3))["y"].sum() == 100000
        pending = await client.start("scratch", [[4.0]], id="later-1")
        assert (await pending)["y"].item() == 8.0
        bad = await client.start("scratch", {"z": [[4.0]]})
        with pytest.raises(InvalidRequest) as caught:
            await bad
        assert caught.value.code == "input_name"
        pending = await client.start("scratch", [[4.0]])
        await pending.cancel()
        await client.registry.unregister("scratch")


def test_the_same_without_a_loop(stack: Stack, tmp_path: Path) -> None:
    """As well."""
    save_double(tmp_path / "d.onnx")
    with BlockingClient(stack.http_url) as client:
        client.registry.register("scratch2", tmp_path / "d.onnx")
        pending = client.start("scratch2", [[4.0]])
        assert client.result(pending.id, wait=10).outputs["y"].item() == 8.0
        client.registry.unregister("scratch2")
