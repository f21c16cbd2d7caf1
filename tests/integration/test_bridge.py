"""The bridge on a real Redis: entries go over once, whole, and without anybody's consumer group."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from tests.certificates import Authority
from tests.conftest import RedisServer, free_port

from scurry.serving import handover
from scurry.serving.bridge import serve
from scurry.serving.handover import Bound
from scurry.serving.outstanding import MOST
from scurry.serving.readiness import http_says_ready
from scurry.settings import BridgeSettings
from scurry.wire.names import Keys

Server = redis.asyncio.Redis


def view(**streams: str) -> dict[str, str]:
    """The registry's view: models by stream."""
    models: dict[str, dict[str, dict[str, bool]]] = {}
    for stream, model in streams.items():
        models.setdefault(model, {})[stream] = {"batched": False}
    return {model: json.dumps({"streams": bound}) for model, bound in models.items()}


@asynccontextmanager
async def bridge(url: str, namespace: str, count: int = 1) -> AsyncIterator[None]:
    """So many bridges."""
    stop = asyncio.Event()
    settings = BridgeSettings(redis_url=url, namespace=namespace, log_level="warning")
    running = [asyncio.create_task(serve(settings, stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def fields_of(server: Server, stream: str, count: int) -> list[dict[bytes, bytes]]:
    """The entries of a stream, once there are so many."""
    async with asyncio.timeout(20):
        while await server.xlen(stream) < count:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)
    return [fields for _, fields in await server.xrange(stream)]


async def answer(server: Server, namespace: str, model: str, over: asyncio.Event) -> None:
    """Count all that was moved as answered, as the job does, until it is over: a cancelled call may go on."""
    while not over.is_set():
        await server.hset(f"{namespace}:answered", f"{namespace}:bulk@{model}", await server.xlen(f"{namespace}:bulk"))
        await asyncio.sleep(0.01)


async def test_entries_go_over_from_the_beginning_and_as_they_come(redis_server: RedisServer) -> None:
    """Clients that make the group `serving` at the end of a stream hold nothing back, and keep it."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        early = await server.xadd("br-s", {"uri": "early", "data": "d1"})
        await server.xgroup_create("br-s", "serving", "$")
        await server.hset("br:models", mapping=view(**{"br-s": "m", "br-t": "n"}))
        async with bridge(redis_server.url, "br"):
            (first,) = await fields_of(server, "br:bulk", 1)
            await server.xadd("br-t", {"uri": b"\xff", "data": "{}", "serde": "stream", "unheard-of": "x"})
            _, second = await fields_of(server, "br:bulk", 2)
        assert first == {
            b"model": b"m", b"id": b"br-s/" + early, b"stream": b"br-s", b"batched": b"0", b"keep": b"0",
            b"uri": b"early", b"data": b"d1",
        }  # fmt: skip
        assert (second[b"model"], second[b"uri"], second[b"serde"]) == (b"n", b"\xff", b"stream")
        assert b"unheard-of" not in second
        assert (await server.xlen("br-s"), await server.xlen("br-t")) == (0, 0)
        assert [one["name"] for one in await server.xinfo_groups("br-s")] == [b"serving"]


async def test_a_new_binding_is_learnt_from_the_registrys_stream(redis_server: RedisServer) -> None:
    """Within moments; a stream that is bound no longer is left alone."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        async with bridge(redis_server.url, "bn"):
            await asyncio.sleep(0.2)
            await server.xadd("bn-s", {"uri": "u", "data": "d"})
            await server.hset("bn:models", mapping=view(**{"bn-s": "m"}))
            await server.xadd("bn:registry", {"model": "m"})
            async with asyncio.timeout(3):
                await fields_of(server, "bn:bulk", 1)
            await server.hset("bn:models", mapping={"m": json.dumps({"streams": {}})})
            await server.xadd("bn:registry", {"model": "m"})
            await asyncio.sleep(1.2)
            await server.xadd("bn-s", {"uri": "v", "data": "d"})
            await asyncio.sleep(0.3)
        assert (await server.xlen("bn-s"), await server.xlen("bn:bulk")) == (1, 1)


async def test_several_bridges_move_each_entry_once(redis_server: RedisServer) -> None:
    """Whoever of them reads it, and also when they are ended in the middle."""
    count = 3000
    async with redis.asyncio.from_url(redis_server.url) as server:
        await server.hset("bm:models", mapping=view(**{"bm-s": "m"}))

        async def write() -> None:
            for at in range(0, count, 100):
                pile = server.pipeline(transaction=False)
                for number in range(at, at + 100):
                    pile.xadd("bm-s", {"uri": str(number), "data": "d"})
                await pile.execute()
                await asyncio.sleep(0.005)

        writing = asyncio.create_task(write())
        for _ in range(5):
            async with bridge(redis_server.url, "bm", 2):
                await asyncio.sleep(0.05)
        async with bridge(redis_server.url, "bm", 3):
            await writing
            over = asyncio.Event()
            answering = asyncio.create_task(answer(server, "bm", "m", over))
            moved = await fields_of(server, "bm:bulk", count)
            over.set()
            await answering
        assert sorted(int(one[b"uri"]) for one in moved) == list(range(count))


async def test_a_model_that_does_not_answer_keeps_its_entries_in_its_own_stream(redis_server: RedisServer) -> None:
    """But for as many as it may have under way; others' go on, and its own when it answers."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        await server.hset("bq:models", mapping=view(**{"bq-slow": "slow", "bq-s": "m"}))
        pile = server.pipeline(transaction=False)
        for number in range(MOST + 100):
            pile.xadd("bq-slow", {"uri": str(number), "data": "d"})
        await pile.execute()
        async with bridge(redis_server.url, "bq"):
            await fields_of(server, "bq:bulk", MOST)
            await server.xadd("bq-s", {"uri": "u", "data": "d"})
            await fields_of(server, "bq:bulk", MOST + 1)
            assert await server.xlen("bq-slow") == 100
            await server.hset("bq:answered", "bq:bulk@slow", 60)
            await fields_of(server, "bq:bulk", MOST + 61)
            await asyncio.sleep(0.1)
            assert await server.xlen("bq-slow") == 40


async def test_large_entries_are_moved_in_several_calls(redis_server: RedisServer) -> None:
    """So that Redis is busy for a moment only."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        for number in range(20):
            await server.xadd("bl-s", {"uri": str(number), "data": b"x" * (1 << 20)})
        words: Any = handover.command(Bound("bl-s", "m"), Keys("bl"))
        await server.hset("bl:answered", "bl:bulk@m", 7)
        assert [await server.execute_command(*words) for _ in range(3)] == [[8, 12, 7], [8, 4, 7], [4, 0, 7]]


async def test_what_cannot_be_moved_stays_and_holds_up_nobody(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that is no stream; it is looked at again."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        await server.rpush("bw-s", "no stream")
        await server.hset("bw:models", mapping=view(**{"bw-s": "m", "bw-t": "m"}) | {"none": "{", "neither": "[]"})
        async with bridge(redis_server.url, "bw"):
            await server.xadd("bw-t", {"uri": "u", "data": "d"})
            await fields_of(server, "bw:bulk", 1)
            await asyncio.sleep(1.2)
            await server.delete("bw-s")
            await server.xadd("bw-s", {"uri": "v", "data": "d"})
            await fields_of(server, "bw:bulk", 2)
        assert caplog.text.count("stream bw-s cannot be moved") == 1


async def test_a_full_redis_keeps_entries_where_they_are(redis_server: RedisServer) -> None:
    """Until there is room."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        await server.hset("bo:models", mapping=view(**{"bo-s": "m"}))
        await server.xadd("bo-s", {"uri": "u", "data": "d"})
        await server.config_set("maxmemory", 1)
        try:
            async with bridge(redis_server.url, "bo"):
                await asyncio.sleep(0.7)
                assert (await server.xlen("bo-s"), await server.xlen("bo:bulk")) == (1, 0)
                await server.config_set("maxmemory", 0)
                await fields_of(server, "bo:bulk", 1)
                assert await server.xlen("bo-s") == 0
        finally:
            await server.config_set("maxmemory", 0)


async def test_a_fault_ends_the_process(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bridge that carries nothing over any more is not to look alive."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scurry.serving.bridge.bound_streams", broken)
    settings = BridgeSettings(redis_url=redis_server.url, namespace="bf", log_level="warning")
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(serve(settings, asyncio.Event()), 10)


async def test_its_pages_are_there_over_tls(redis_server: RedisServer, tmp_path: Path) -> None:
    """Also for a probe that has no certificate where callers are asked for one."""
    authority, port, stop = Authority(tmp_path), free_port(), asyncio.Event()
    cert, key = authority.sign("bridge")
    settings = BridgeSettings(
        redis_url=redis_server.url, namespace="bt", log_level="warning", port=port, tls_cert=cert, tls_key=key,
        tls_client_ca=str(authority.file),
    )  # fmt: skip
    running = asyncio.create_task(serve(settings, stop))
    try:
        async with asyncio.timeout(20):
            while not await http_says_ready("127.0.0.1", port, "/readyz", tls=True):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not await http_says_ready("127.0.0.1", port, "/readyz")
    finally:
        stop.set()
        await running
