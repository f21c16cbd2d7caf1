"""Models of the large frameworks, asked through the whole job."""

from __future__ import annotations

import asyncio
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Stack
from tests.frameworks.models import exported, keras_net, saved_model, torch_net, torchscript

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


async def test_a_saved_model_and_a_keras_file_are_served(stack: Stack, tmp_path: Path) -> None:
    """In Triton's repository and as a file, for one caller and for 200 at once."""
    tf = pytest.importorskip("tensorflow")
    path = saved_model(tmp_path / "scores" / "1" / "model.savedmodel")
    (tmp_path / "scores" / "config.pbtxt").write_text('platform: "tensorflow_savedmodel" max_batch_size: 16')
    stack.register("scores", tmp_path)
    theirs = tf.saved_model.load(str(path)).signatures["serving_default"](x=tf.constant(ROWS))
    async with Client(stack.redis_url) as client:
        answers = await asyncio.gather(*(client.infer("scores", {"x": row[None]}) for row in ROWS))
    np.testing.assert_allclose(np.concatenate([one["scores"] for one in answers]), theirs["scores"].numpy(), rtol=1e-5)
    assert [one["best"].item() for one in answers] == theirs["best"].numpy().tolist()


def test_a_keras_file_with_a_lambda_is_refused_by_a_sentence(stack: Stack, tmp_path: Path) -> None:
    """A good one of two inputs is served."""
    tf = pytest.importorskip("tensorflow")
    lambdas = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Lambda(lambda x: x * 2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lambdas.save(tmp_path / "lambda.keras")
        keras_net().save(tmp_path / "net.keras")
    done = stack.run("models", "register", "lambda", "--uri", str(tmp_path / "lambda.keras"), check=False)
    assert done.returncode == 1
    assert "a layer of it brings Python code" in done.stdout + done.stderr
    stack.register("keras", tmp_path / "net.keras")
    asked = json.dumps({"inputs": [
        {"name": "wide", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]},
        {"name": "small", "datatype": "FP32", "shape": [1, 2], "data": [5, 6]},
    ]})  # fmt: skip
    given = json.loads(stack.run("predict", "keras", "--json", asked).stdout)
    theirs = keras_net()([np.array([[1, 2, 3, 4]], np.float32), np.array([[5, 6]], np.float32)], training=False)
    np.testing.assert_allclose(given["outputs"][0]["data"], theirs[0].numpy()[0], rtol=1e-5)
