"""Requests over Redis: made once, sent as often as it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scurry.client.client import Client
from scurry.wire.errors import Unavailable
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.names import CLAIM_CHECK_BYTES

REFUSED = {"status": "error", "error": "overloaded", "message": "Later."}


@pytest.mark.parametrize("given", ["", "mine"])
async def test_every_try_is_the_same_request(redis: Any, given: str) -> None:
    """One id, one body, its payload parked again; only the deadline is nearer."""
    said: list[dict[str, Any]] = [REFUSED, REFUSED, {"status": "ok", "reply": b""}]
    redis.job = lambda fields: said.pop(0)
    big = np.ones(CLAIM_CHECK_BYTES, np.float32)
    async with Client("redis://fake:1/0", retries=2) as client:
        assert await client.infer("m", {"x": big}, id=given) == {}
    entries = redis.entries("scurry:requests")
    assert len(entries) == 3
    assert len({entry[b"id"] for entry in entries}) == len({entry[b"request"] for entry in entries}) == 1
    assert InferRequest.FromString(entries[0][b"request"]).inputs[0].payload
    parked = [command for command in redis.commands if command[0] == b"SET"]
    assert len(parked) == 3
    assert len({command[1] for command in parked}) == 1


async def test_without_retries_a_refusal_is_raised(redis: Any) -> None:
    """Each call may say otherwise than its client."""
    redis.job = lambda fields: REFUSED
    async with Client("redis://fake:1/0", retries=5) as client:
        with pytest.raises(Unavailable):
            await client.infer("m", {"x": np.float32([1])}, retries=0)
    assert len(redis.entries("scurry:requests")) == 1


async def test_one_array_is_for_the_only_input(redis: Any) -> None:
    """Its name and type stand in the registry's view."""
    record = b'{"versions": [{"version": "1", "signature": {"inputs": [{"name": "image", "datatype": "FP16"}]}}]}'
    redis.hashes[b"scurry:models"] = [b"m", record]
    redis.job = lambda fields: {"status": "ok", "reply": b""}
    async with Client("redis://fake:1/0") as client:
        await client.infer("m", [[1.0, 2.0]], version="1")
    sent = InferRequest.FromString(redis.entries("scurry:requests")[0][b"request"]).inputs[0]
    assert (sent.name, sent.datatype, list(sent.shape)) == ("image", "FP16", [1, 2])
