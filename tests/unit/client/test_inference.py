"""Models asked for later, and many times, over Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from scurry.client.client import Client
from scurry.wire.errors import InvalidRequest, NotFound, Unavailable
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import to_array, to_tensor

X = {"x": np.float32([1, 2])}


def doubling(fields: dict[bytes, bytes]) -> dict[str, Any]:
    """A job that answers `y = 2 x`; negative ones it refuses."""
    x = to_array(InferRequest.FromString(fields[b"request"]).inputs[0])
    if x.size and x[0] < 0:
        return {"status": "error", "error": "model_failed", "message": "It is negative."}
    return {"status": "ok", "version": "1", "reply": InferReply(outputs=[to_tensor("y", x * 2)]).SerializeToString()}


@pytest.fixture
async def client(redis: Any) -> AsyncIterator[Client]:
    """A client of a fake Redis with that job."""
    redis.job = doubling
    async with Client("redis://fake:1/0") as opened:
        yield opened


async def test_a_started_request_is_in_the_stream(client: Client, redis: Any) -> None:
    """Before its handle is there; its answer is kept as the job does, for whoever knows the id."""
    redis.job = lambda fields: None
    pending = await client.start("m", X, version="2")
    entry = redis.entries("scurry:requests")[0]
    assert entry[b"id"].decode() == pending.id
    assert (entry[b"version"], b"keep" in entry) == (b"2", False)
    assert not pending.done()
    redis.reply(entry, doubling(entry))
    assert (await pending)["y"].tolist() == [2, 4]


async def test_a_failure_is_raised_where_it_is_awaited(client: Client) -> None:
    """Not where it was started."""
    pending = await client.start("m", {"x": np.float32([-1])}, id="mine")
    assert pending.id == "mine"
    with pytest.raises(Exception, match="negative"):
        await pending


@pytest.mark.parametrize(("patience", "seconds"), [(0.05, 30), (30, 0.05)])
async def test_what_redis_did_not_take_was_not_started(
    client: Client, redis: Any, monkeypatch: Any, patience: float, seconds: float
) -> None:
    """The caller is told as soon as its time, or ours, is over; nothing waits on."""
    monkeypatch.setattr("scurry.client.session.PATIENCE_S", patience)
    redis.deaf = True
    with pytest.raises(Unavailable) as caught:
        await client.start("m", X, timeout=seconds)
    assert caught.value.code == "unavailable"


async def test_a_kept_result_is_waited_for_and_forgotten(client: Client, redis: Any) -> None:
    """With what is parked of it."""
    fields = doubling({b"request": InferRequest(inputs=[to_tensor("x", X["x"])]).SerializeToString()})
    flat = [b"status", b"ok", b"version", b"1", b"reply", fields["reply"]]
    asyncio.get_running_loop().call_later(0.03, redis.hashes.__setitem__, b"scurry:result:r", flat)
    with pytest.raises(NotFound):
        await client.result("r")
    answer = await client.result("r", wait=5)
    assert answer.outputs["y"].tolist() == [2, 4]
    reply = InferReply()
    reply.outputs.add(name="y", datatype="FP32", shape=[1], payload="parked")
    redis.hashes[b"scurry:result:r"] = [b"status", b"ok", b"reply", reply.SerializeToString()]
    redis.strings[b"parked"] = b"1234"
    await client.forget("r")
    await client.forget("r")
    assert redis.strings == {}
    with pytest.raises(NotFound) as gone:
        await client.result("r")
    assert gone.value.code == "result_not_found"


async def test_a_cancelled_request_is_forgotten(client: Client, redis: Any) -> None:
    """Whoever awaits it is cancelled."""
    redis.job = lambda fields: None
    pending = await client.start("m", X)
    redis.hashes[f"scurry:result:{pending.id}".encode()] = [b"status", b"ok"]
    await pending.cancel()
    assert f"scurry:result:{pending.id}".encode() not in redis.hashes
    with pytest.raises(asyncio.CancelledError):
        await pending


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_stream_answers_each_input(client: Client, *, ordered: bool) -> None:
    """A failure among them is an answer."""
    numbers = [1, 2, -3, 4]
    stream = client.stream("m", ({"x": np.float32([n])} for n in numbers), in_flight=2, ordered=ordered)
    replies = {reply.index: reply async for reply in stream}
    assert [replies[n].outputs["y"].tolist() for n in (0, 1, 3)] == [[2], [4], [8]]
    assert replies[2].error is not None
    assert replies[2].error.code == "model_failed"


async def test_a_stream_may_end_with_the_first_failure(client: Client) -> None:
    """If that is asked for."""
    seen = []
    with pytest.raises(Exception, match="negative"):
        async for reply in client.stream("m", [{"x": np.float32([n])} for n in (1, -1, 1)], raise_errors=True):
            seen.append(reply.index)  # noqa: PERF401 - it fails on the way
    assert seen == [0]


async def test_a_stream_takes_an_asynchronous_source(client: Client) -> None:
    """And checks what it is told."""

    async def source() -> AsyncIterator[Any]:
        yield X

    assert [reply.outputs["y"].tolist() async for reply in client.stream("m", source())] == [[2, 4]]
    with pytest.raises(InvalidRequest, match="in_flight"):
        await anext(client.stream("m", source(), in_flight=0))
