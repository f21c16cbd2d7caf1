"""What was answered, read from where it lies."""

import asyncio

import pytest

from scurry.client.client import Client
from scurry.redis import dial
from scurry.wire.errors import NotFound
from scurry.wire.infer_pb2 import InferReply


async def test_a_kept_answer_is_read_again(redis):
    """Under the id it was asked by; the parked body stays for whoever else asks."""
    redis.strings[b"parked"] = InferReply().SerializeToString()
    redis.hashes[b"scurry:result:mine"] = [b"status", b"ok", b"version", b"4", b"model", b"m", b"payload", b"parked"]
    async with Client("redis://fake:1/0") as client:
        answer = await client.result("mine")
        assert (answer.model, answer.version) == ("m", "4")
        assert b"parked" in redis.strings
        with pytest.raises(NotFound) as gone:
            await client.result("other")
    assert gone.value.code == "result_not_found"


async def test_an_answer_is_read_once_redis_is_back(redis, monkeypatch):
    """It was computed and told: an outage between the reply and its parked output loses nobody's answer."""
    monkeypatch.setattr(dial, "BACK_OFF_S", (0.0, 0.0))
    redis.strings[b"parked"] = InferReply().SerializeToString()
    async with Client("redis://fake:1/0") as client:
        redis.deaf = True
        reading = asyncio.ensure_future(client.read({b"status": b"ok", b"model": b"m", b"payload": b"parked"}))
        await asyncio.sleep(0.01)
        redis.deaf = False
        redis.drop()
        assert (await asyncio.wait_for(reading, 10)).model == "m"
