"""Batches of several lengths and kept answers, through the whole job."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from tests.conftest import Stack

from scurry.client.client import Client
from scurry.wire.messages_pb2 import Register, Update


def save_sum(path: Path, factor: float = 1) -> Path:
    """Texts of any length to their sum and to each token times a factor."""
    nodes = [
        helper.make_node("Mul", ["ids", "factor"], ["tokens"]),
        helper.make_node("ReduceSum", ["tokens", "axes"], ["sum"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info("ids", TensorProto.FLOAT, ["n", "length"])],
        [
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["n", "length"]),
        ],
        [
            helper.make_tensor("factor", TensorProto.FLOAT, [], [factor]),
            helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    path.write_bytes(model.SerializeToString())
    return path


def registration(model: str, uri: Path, config: dict[str, Any]) -> Update:
    """Version 1 of a model."""
    register = Register(version="1", uri=str(uri), runtime="onnx", config=json.dumps(config))
    return Update(model=model, register=register)


async def test_texts_of_every_length_share_calls(stack: Stack, tmp_path: Path) -> None:
    """Each of 200 callers at once gets the sum and the tokens of its own text."""
    config = {
        "max_batch_size": 16,
        "dynamic_batching": {"preferred_batch_size": [4, 8]},
        "batch_padding": True,
        "padding": {"ids": {"sizes": [8, 16], "value": 0, "trims": ["tokens"]}},
    }
    texts = [np.arange(1, 2 + at % 20, dtype=np.float32)[None] for at in range(200)]
    async with Client(stack.redis_url) as client:
        await client.update(registration("texts", save_sum(tmp_path / "model.onnx", 2), config))
        answers = await asyncio.gather(*(client.infer("texts", {"ids": text}, timeout=60) for text in texts))
    for text, answer in zip(texts, answers, strict=True):
        np.testing.assert_allclose(answer["sum"], 2 * text.sum(1))
        np.testing.assert_array_equal(answer["tokens"], 2 * text)


async def test_an_answer_is_kept_until_the_version_is_switched(stack: Stack, tmp_path: Path) -> None:
    """The second reply says that it is a hit; what is registered in place of the version answers for itself."""
    body = {"inputs": [{"name": "ids", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}

    def ask() -> tuple[float, bool]:
        url = f"{stack.http_url}/v2/models/kept/infer"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=60) as reply:
            found = json.load(reply)
        (total,) = [each["data"][0] for each in found["outputs"] if each["name"] == "sum"]
        return total, found.get("parameters", {}).get("cache_hit", False)

    cached = {"response_cache": {"enable": True}}
    async with Client(stack.redis_url) as client:
        await client.update(registration("kept", save_sum(tmp_path / "one.onnx"), cached))
        asked = [await asyncio.to_thread(ask) for _ in range(8)]
        assert {total for total, _ in asked} == {6}
        assert [hit for _, hit in asked][-1]
        assert not asked[0][1]
        await client.update(registration("kept", save_sum(tmp_path / "two.onnx", 2), cached))
        assert await asyncio.to_thread(ask) == (12, False)
