"""The worker's payload store against a real Redis."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import uuid

import numpy as np
import pytest
from redis.asyncio import Redis

from scurry.inference import payloads as module
from scurry.inference.payloads import KEPT_SECONDS, ParkedPayloads
from scurry.wire.errors import Unavailable
from scurry.wire.shared_payloads import OwnPayloads, SharedFolder, SharedPayloads


@pytest.fixture
async def redis(redis_server):
    """A client that looks at what the store did."""
    client = Redis.from_url(redis_server.url)
    yield client
    await client.aclose()


@pytest.fixture
async def store(redis_server):
    """The store under test."""
    made = ParkedPayloads(redis_server.url)
    yield made
    await made.close()


async def test_parcels_come_back_and_expire(store, redis):
    """Bytes and views are parked with a time to live; what was never parked is None."""
    prefix = uuid.uuid4().hex
    array = np.arange(200_000, dtype=np.float32)
    await store.park([(f"{prefix}:a", b"\x00\xff"), (f"{prefix}:b", array.view(np.uint8).data)])
    found = await store.fetch([f"{prefix}:b", f"{prefix}:nothing", f"{prefix}:a"])
    assert found == {f"{prefix}:b": array.tobytes(), f"{prefix}:nothing": None, f"{prefix}:a": b"\x00\xff"}
    assert KEPT_SECONDS - 60 < await redis.ttl(f"{prefix}:a") <= KEPT_SECONDS


async def test_a_batch_costs_one_command_each_way(store, redis):
    """Many payloads are one MGET, and one write of many SETs."""
    prefix = uuid.uuid4().hex
    parked = [(f"{prefix}:{at}", b"x" * 1000) for at in range(50)]
    await store.park(parked)
    before = (await redis.info("commandstats")).get("cmdstat_mget", {"calls": 0})["calls"]
    await store.fetch([key for key, _ in parked])
    assert (await redis.info("commandstats"))["cmdstat_mget"]["calls"] == before + 1


async def test_shared_memory_is_looked_at_first(redis_server, redis, tmp_path):
    """What callers on this machine left is a view of it; Redis is asked for the rest alone, or not at all."""
    folder, client = SharedFolder(tmp_path / "shared"), uuid.uuid4().hex[:12]
    own = OwnPayloads(tmp_path / "shared", client)
    store = ParkedPayloads(redis_server.url, SharedPayloads(str(tmp_path / "shared")))
    near, far, both = (f"ns:payload:{client}-{number}:in:x" for number in (1, 2, 3))
    assert own.put(near, b"near") and own.put(both, b"this one")
    assert await store.fetch([near]) == {near: b"near"}
    assert store._link is None, "Redis was not asked"
    await store.park([(far, b"far"), (both, b"not this one")])
    before = (await redis.info("commandstats"))["cmdstat_mget"]["calls"] if await store.fetch([far]) else 0
    assert await store.fetch([both, far, near]) == {near: b"near", far: b"far", both: b"this one"}
    assert (await redis.info("commandstats"))["cmdstat_mget"]["calls"] == before + 1
    own.close()
    assert await store.fetch([near]) == {near: None}
    folder.close()
    await store.close()


async def test_memory_that_cannot_be_read_just_now_is_not_taken_for_absence(redis_server, tmp_path, monkeypatch):
    """A worker out of files says `unavailable`: nobody is told that his payload was never written."""
    store = ParkedPayloads(redis_server.url, SharedPayloads(str(tmp_path)))

    def fail(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as broken:
        broken.setattr(os, "open", fail)
        with pytest.raises(Unavailable, match="cannot be read: Too many open files"):
            await store.fetch([f"ns:payload:{'a' * 12}-1:in:x"])
    await store.close()


async def test_a_refusal_is_said(store, redis):
    """A key of another kind is nothing parked; a store that refuses to write is unavailable."""
    prefix = uuid.uuid4().hex
    await redis.rpush(f"{prefix}:list", "x")
    assert await store.fetch([f"{prefix}:list"]) == {f"{prefix}:list": None}


async def test_an_outage_is_waited_out_then_unavailable(monkeypatch):
    """After a while the caller is told, not the job."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port
        store = ParkedPayloads(f"redis://127.0.0.1:{sock.getsockname()[1]}/0")
        with pytest.raises(Unavailable, match="cannot be reached") as caught:
            await store.fetch(["k"])
        with pytest.raises(Unavailable):
            await store.park([("k", b"v")])
    assert caught.value.code == "unavailable"
    await store.close()


async def test_a_connection_that_was_cut_is_made_again(store, redis):
    """A restart of Redis costs a try, not an answer."""
    prefix = uuid.uuid4().hex
    await store.park([(prefix, b"v")])
    await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await asyncio.wait_for(store.fetch([prefix]), 10) == {prefix: b"v"}
