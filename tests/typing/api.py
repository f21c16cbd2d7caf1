"""What users may write: checked by mypy --strict, never run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

from scurry import BlockingClient, Client, Failed, InvalidRequest, Model, NotFound, ScurryError, Unavailable
from scurry.client.answers import Answer
from scurry.client.applying import Taken
from scurry.client.blocking import BlockingPending
from scurry.client.pending import Pending
from scurry.client.records import ModelRecord
from scurry.client.registry import Change
from scurry.client.streaming import StreamReply
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


async def asks_later(client: Client) -> None:
    """Handles, streams, retries; one array for the only input."""
    assert_type(await client.infer("digits", np.zeros((1, 64)), retries=3), dict[str, npt.NDArray[Any]])
    await client.infer("digits", [[0.0, 1.0]])
    pending = await client.start("digits", {"image": [[0.0]]}, id="mine", keep=60, timeout=5, retries=2, version="1")
    assert_type(pending, Pending)
    assert_type(pending.id, str)
    assert_type(await pending, dict[str, npt.NDArray[Any]])
    assert_type(await pending.result(timeout=1.5), dict[str, npt.NDArray[Any]])
    assert_type(await pending.cancel(), None)
    answer = await client.result("mine", wait=10)
    assert_type(answer.outputs, dict[str, npt.NDArray[Any]])
    await client.forget("mine")
    images = (np.zeros((1, 64), np.float32) for _ in range(9))
    async for reply in client.stream("digits", images, in_flight=64, ordered=False, raise_errors=True, tenant="acme"):
        assert_type(reply, StreamReply)
        assert_type(reply.index, int)
        assert_type(reply.error, ScurryError | None)
        assert_type(reply.outputs, dict[str, npt.NDArray[Any]])
    assert_type(await client.live(), bool)
    assert_type(await client.ready("digits", "1"), bool)


def connects() -> None:
    """Every argument of a client; where from the environment."""
    for kind in (Client, BlockingClient):
        kind("redis://h:1/0", namespace="scurry", name="team-7", separate_registry=True, retries=3)
        kind("https://h:1", api_key="k", admin_key="k", connections=10)
    assert_type(Client.from_env(retries=2), Client)
    assert_type(BlockingClient.from_env(), BlockingClient)


async def administers(client: Client) -> None:
    """Every verb of the registry with plain values."""
    registry = client.registry
    record = await registry.register(
        "m", Path("m.onnx"), version="1", runtime="onnx", config={"threads": 2}, pool="gpu", route=True, wait=True,
        timeout=60,
    )
    assert_type(record, ModelRecord)
    assert_type(record["versions"][0]["state"], str)
    await registry.alias("m", "stable", "1")
    await registry.split("m", {"1": 90, "2": 10})
    await registry.promote("m", "2")
    await registry.rollback("m")
    await registry.shadow("m", "2", percent=5)
    await registry.rollout("m", "2", [1, 10, 100], hold=600, max_error_rate=0.01)
    await registry.abort_rollout("m")
    await registry.policy("m", latest=2)
    await registry.limits("m", max_queue_size=9, max_timeout=1.5, tenants={"acme": {"rate": 5, "burst": 20}})
    await registry.lanes("m", min=1, max=4)
    await registry.load("m", "1")
    await registry.unload("m", "1", force=True)
    await registry.pin("m", "1", pinned=False)
    await registry.unregister("m", "1")
    assert_type(await registry.record("m"), ModelRecord)
    assert_type(await registry.models(limit=9), dict[str, ModelRecord])
    assert_type(await registry.history("m"), list[Change])
    assert_type(await registry.apply(await registry.export("m"), prune=True, dry_run=True), list[Taken])


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
            for reply in client.stream("digits", [[1.0], [2.0]], in_flight=8):
                assert_type(reply, StreamReply)
            pending = client.start("digits", [1.0], retries=1)
            assert_type(pending, BlockingPending)
            assert_type(pending.result(timeout=1), dict[str, npt.NDArray[Any]])
            assert_type(client.registry.register("m", "m.onnx", config={}), ModelRecord)
            assert_type(client.registry.split("m", {"1": 1}), ModelRecord)
            assert_type(client.ready("digits"), bool)
        except (NotFound, Unavailable, Failed):
            raise
        except ScurryError as failure:
            assert_type(failure.retryable, bool)
            assert_type(failure.retry_after, float)
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
