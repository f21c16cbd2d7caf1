"""What users may write: checked by mypy --strict, never run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

from scurry import BlockingClient, Client, InvalidRequest, Model, ScurryError
from scurry.client.answers import Answer
from scurry.client.waiting import Fields
from scurry.testing import Served, serve
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import (
    Alias,
    LaneRange,
    Limits,
    Promote,
    Register,
    Rollback,
    Split,
    TenantLimit,
    Unregister,
    Update,
)


async def asks() -> None:
    """Every verb of the client, with every argument."""
    async with Client() as client:
        assert_type(client, Client)
    async with Client("redis://127.0.0.1:6379/0", namespace="scurry", name="me") as client:
        image = np.zeros((1, 64), np.float32)
        outputs = await client.infer("digits", {"image": image})
        assert_type(outputs, dict[str, npt.NDArray[Any]])
        await client.infer("digits", {"image": [[0.0, 1.0]], "scale": 2}, parameters={"top": 3, "raw": True})
        await client.infer("digits", {"image": [[0.0, 1.0]], "scale": 2})
        await client.infer("digits", {"image": image}, bulk=True)
        await client.infer(
            "digits", {"x": image}, version="2", outputs=["y"], id="mine", timeout=1.5, key="user", keep=60, priority=1,
            tenant="acme",
        )  # fmt: skip
        await client.infer("counter", {"x": image}, parameters={"sequence_id": 7, "sequence_start": True})
        answer = await client.ask("digits", InferRequest(), version="stable", traceparent="00-0-0-00")
        assert_type(answer, Answer)
        assert_type(answer.reply, InferReply)
        assert_type(answer.version, str)
        assert_type(client.submit("digits", b"{}", encoding="inputs"), asyncio.Future[Fields])
        assert_type(await client.models(), dict[str, dict[str, Any]])
        assert_type(await client.result("mine"), Answer)
        assert_type(await client.record("digits"), dict[str, Any] | None)
        assert_type(await client.ping(), None)


def connects() -> None:
    """Every argument of a client."""
    for kind in (Client, BlockingClient):
        kind("redis://h:1/0", namespace="scurry", name="team-7", separate_registry=True)


async def changes(client: Client) -> None:
    """Every change of the registry."""
    for update in (
        Update(model="m", register=Register(version="1", uri="/m.onnx", runtime="onnx", config="{}")),
        Update(model="m", alias=Alias(alias="stable", version="1")),
        Update(model="m", split=Split(weights={"1": 90, "2": 10})),
        Update(model="m", promote=Promote(version="2")),
        Update(model="m", rollback=Rollback()),
        Update(model="m", unregister=Unregister(version="1")),
        Update(model="m", limits=Limits(max_queue_size=9, tenants={"acme": TenantLimit(rate=5, burst=20)})),
        Update(model="m", lanes=LaneRange(min=1, max=4)),
    ):
        assert_type(await client.update(update, timeout=60), dict[str, Any])
        assert_type(await client.announce(update), str)


def blocks() -> None:
    """The same without a loop, and what failures carry."""
    with BlockingClient("redis://127.0.0.1:6379/0") as client:
        try:
            assert_type(client.infer("digits", {"image": [1.0]}), dict[str, npt.NDArray[Any]])
            client.infer("digits", {"image": [1.0]}, priority=1, tenant="acme")
            later = client.infer_later("digits", {"image": [1.0]}, id="mine", keep=60)
            assert_type(later.result(5), dict[str, npt.NDArray[Any]])
            assert_type(client.result("mine"), Answer)
            assert_type(client.models(), dict[str, dict[str, Any]])
        except ScurryError as failure:
            assert_type(failure.code, str)
            assert_type(failure.message, str)


class Scale(Model):
    """A model of a user's own, `async` or not."""

    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]  # noqa: RUF012 - as users write it
    outputs = [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}]  # noqa: RUF012

    def load(self, files: Path, config: Mapping[str, Any]) -> None:
        """Its directory, and what it was told."""
        self.base = float(config.get("base", 0))

    def predict(
        self, inputs: dict[str, npt.NDArray[Any]], parameters: Mapping[str, bool | int | float | str]
    ) -> dict[str, npt.NDArray[Any]]:
        """Arrays by name."""
        if not inputs["x"].size:
            raise InvalidRequest("input_shape", "There is nothing to scale.")
        return {"y": self.base + inputs["x"]}


class Later(Model):
    """One that waits for something."""

    async def predict(
        self, inputs: dict[str, npt.NDArray[Any]], parameters: Mapping[str, bool | int | float | str]
    ) -> dict[str, npt.NDArray[Any]]:
        """Arrays by name."""
        await asyncio.sleep(0)
        return inputs


def tests() -> None:
    """A model without a job."""
    with serve(Scale, {"max_batch_size": 8}) as model:
        assert_type(model, Served)
        assert_type(model.predict({"x": np.zeros((1, 2), np.float32)}, scale=2), dict[str, npt.NDArray[Any]])
        assert_type(
            model.predict_together({"x": np.zeros((1, 2), np.float32)}), list[dict[str, npt.NDArray[Any]] | ScurryError]
        )
    serve(Path("models/scale")).close()
