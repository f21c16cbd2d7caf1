"""Models of the large frameworks, asked through the whole job."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.frameworks.models import exported, torch_net, torchscript

from scurry import Client

ROWS = np.random.default_rng(5).standard_normal((200, 4)).astype(np.float32)


async def ask(stack: Stack, name: str, given: str) -> np.ndarray:
    """What 200 callers at once are answered, one row each."""
    async with Client(stack.redis_url) as client:
        alone = await client.infer(name, {given: ROWS[:1]})
        answers = await asyncio.gather(*(client.infer(name, {given: row[None]}) for row in ROWS))
    assert np.allclose(*alone.values(), *answers[0].values(), rtol=1e-5)
    return np.concatenate([next(iter(each.values())) for each in answers])


async def test_a_triton_repository_of_torchscript_is_served_as_it_lies(stack: Stack, tmp_path: Path) -> None:
    """Its names are Triton's, its answers those of torch in this process, for one caller and for 200 at once."""
    torch = pytest.importorskip("torch")
    torchscript(tmp_path / "net" / "1" / "model.pt")
    tensor = '{{ name: "{}" data_type: TYPE_FP32 dims: [ {} ] }}'
    (tmp_path / "net" / "config.pbtxt").write_text(
        'platform: "pytorch_libtorch" max_batch_size: 32 '
        f"input [ {tensor.format('INPUT__0', 4)} ] output [ {tensor.format('OUTPUT__0', 3)} ]"
    )
    stack.register("net", tmp_path)
    with torch.inference_mode():
        expected = torch_net()(torch.tensor(ROWS)).numpy()
    np.testing.assert_allclose(await ask(stack, "net", "INPUT__0"), expected, rtol=1e-5, atol=1e-6)


async def test_an_exported_program_is_served(stack: Stack, tmp_path: Path) -> None:
    """It says itself what it takes."""
    torch = pytest.importorskip("torch")
    stack.register("program", exported(tmp_path / "net.pt2"))
    with torch.inference_mode():
        expected = torch_net()(torch.tensor(ROWS)).numpy()
    np.testing.assert_allclose(await ask(stack, "program", "input"), expected, rtol=1e-5, atol=1e-6)


def test_a_pickle_is_refused_by_a_sentence(stack: Stack, tmp_path: Path) -> None:
    """It is never opened: the registration fails with the way out."""
    torch = pytest.importorskip("torch")
    torch.save(torch_net(), tmp_path / "model.pt")
    done = stack.run("models", "register", "pickled", "--uri", str(tmp_path), "--json", check=False)
    assert done.returncode == 1
    assert "is no TorchScript: it holds pickled" in json.dumps(json.loads(done.stdout or "{}")) + done.stderr
