"""A Caffe network through the whole job, as OpenCV answers it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.unit.runtimes.caffe import expected, network

from scurry import Client

ROWS = np.random.default_rng(4).random((200, 4, 1, 1), np.float32)


async def test_a_caffe_network_is_served(stack: Stack, tmp_path: Path) -> None:
    """Found by its suffix; for one caller and for 200 at once. Truncated weights are refused by a sentence."""
    pytest.importorskip("cv2")
    path = network(tmp_path, weights="iter_1000")
    stack.register("caffe", tmp_path)
    async with Client(stack.redis_url) as client:
        answers = await asyncio.gather(*(client.infer("caffe", {"data": row[None]}) for row in ROWS))
    np.testing.assert_allclose(np.concatenate([one["prob"] for one in answers]), expected(ROWS), rtol=1e-4)
    weights = path.with_name("iter_1000.caffemodel")
    weights.write_bytes(weights.read_bytes()[:40])
    done = stack.run("models", "register", "caffe", "--uri", str(tmp_path), "--version", "2", check=False)
    assert done.returncode == 1
    assert "OpenCV cannot open" in done.stdout + done.stderr
