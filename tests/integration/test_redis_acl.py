"""The ACL files in deploy/redis-acl, loaded into a real Redis: what each role can do, and what it cannot."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import NoPermissionError
from tests.conftest import ROOT, free_port, redis_binary, wait_for_port

from scurry.client.client import Client
from scurry.client.later import Later, LaterRequest
from scurry.inference.payloads import ParkedPayloads
from scurry.serving import handover
from scurry.serving.handover import Bound
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import Promote, Update
from scurry.wire.names import Keys

FOLDER = ROOT / "deploy" / "redis-acl"
USERS = {"default.acl", "user.acl", "admin.acl", "gateway.acl", "worker.acl", "job.acl", "bridge.acl"}
FORBIDDEN = {
    "team": [
        "XADD scurry:registry-in * k v", "HGETALL scurry:result:other-1", "MGET scurry:payload:other-1:in:x",
        "SET scurry:payload:other-1:in:x v", "XREAD STREAMS scurry:replies:other-1 0",
        "XADD scurry:replies:other-1 * k v",
        "XRANGE scurry:dead - +", "HSET scurry:models m {}", "EVAL return 0", "KEYS *", "FLUSHALL", "CONFIG GET *",
    ],
    "worker": ["XADD scurry:requests * k v", "GET scurry:partitions", "HGETALL scurry:models", "FLUSHALL"],
    "gateway": ["XRANGE scurry:requests - +", "HSET scurry:models m {}", "XRANGE scurry:dead - +", "FLUSHALL"],
    "admin": ["HSET scurry:models m {}", "CONFIG SET maxmemory 1", "FLUSHALL", "GET other"],
    "bridge": ["XADD scurry:requests * k v", "HSET scurry:models m {}", "XRANGE other - +", "FLUSHALL", "KEYS *"],
    "job": ["GET other", "FLUSHALL", "CONFIG SET maxmemory 1", "SHUTDOWN", "KEYS *"],
}  # fmt: skip
FORBIDDEN_FROM_7 = {
    "team": ["SET scurry:requests v", "UNLINK scurry:requests", "XREAD STREAMS scurry:requests 0",
             "UNLINK scurry:models", "XTRIM scurry:requests MAXLEN 0", "HGETALL scurry:requests"],
    "worker": ["MGET scurry:models"],
    "gateway": ["UNLINK scurry:requests", "SET scurry:models v", "XREAD STREAMS scurry:requests 0"],
    "admin": ["UNLINK scurry:requests", "SET scurry:models v", "XADD scurry:registry * k v"],
}  # fmt: skip


def version(binary: str) -> float:
    """Major and minor version of a server."""
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\d+\.\d+)", told)
    assert found
    return float(found[1])


@pytest.fixture(params=["redis-6.2", "redis-7"])
def port(request: Any, tmp_path: Path) -> Iterator[int]:
    """A Redis of the version a folder is for, with that folder's files; SCURRY_TEST_REDIS_7 names a newer server."""
    binary = os.environ.get("SCURRY_TEST_REDIS_7", redis_binary()) if request.param == "redis-7" else redis_binary()
    if version(binary) < float(request.param.removeprefix("redis-")):
        pytest.skip(f"{request.param}: this Redis is {version(binary)}; SCURRY_TEST_REDIS_7 may name another")
    users = tmp_path / "users.acl"
    users.write_text("".join(path.read_text() for path in sorted((FOLDER / request.param).glob("*.acl"))))
    here = free_port()
    command = [binary, "--port", str(here), "--bind", "127.0.0.1", "--save", "", "--aclfile", str(users)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        wait_for_port(here, 10)
        yield here
    finally:
        process.kill()
        process.wait(10)


def url(port: int, user: str) -> str:
    """How a role connects."""
    return f"redis://{user}:change-me-{user}@127.0.0.1:{port}/0"


def test_both_folders_have_every_role() -> None:
    """And no other file."""
    for folder in ("redis-7", "redis-6.2"):
        assert {path.name for path in (FOLDER / folder).iterdir()} == USERS


def test_what_a_role_may_not(port: int, request: Any) -> None:
    """Neither change the registry, nor reach what is others', nor what is the server's."""
    forbidden = {role: list(commands) for role, commands in FORBIDDEN.items()}
    if "redis-7" in request.node.name:
        for role, commands in FORBIDDEN_FROM_7.items():
            forbidden[role] += commands
    for role, commands in forbidden.items():
        with redis.Redis.from_url(url(port, role)) as server:
            for command in commands:
                with pytest.raises(NoPermissionError):
                    server.execute_command(*(command.split() if "EVAL" not in command else ("EVAL", "return 0", "0")))
    with redis.Redis(port=port) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()


async def test_what_a_role_must(port: int) -> None:
    """Its own work: ask and be answered, administrate, park, do the job."""
    job = redis.asyncio.Redis.from_url(url(port, "job"))
    for role, name in (("team", "team-7"), ("gateway", None), ("admin", None)):
        async with Client(url(port, role), name=name, separate_registry=True) as client:
            future = client.submit("m", b"x" * 10, parked=[(client.keys.payload_in(f"{client.name}-1", "x"), b"p")])
            await asyncio.wait_for(answer(job, "scurry:requests"), 10)
            assert (await asyncio.wait_for(future, 10))[b"status"] == b"ok"
            assert await client.models() == await client.models(limit=5) == {"m": {}}
            with pytest.raises(ScurryError, match="result_not_found"):
                await client.result(f"{client.name}-1")
            if role != "team":
                assert await client.announce(Update(model="m", promote=Promote(version="1")))
            else:
                with pytest.raises(ScurryError, match=r"(?i)permission"):
                    await client.announce(Update(model="m", promote=Promote(version="1")))
    assert await job.xlen("scurry:registry-in") == 2
    await job.aclose()
    bridge, job = (redis.asyncio.Redis.from_url(url(port, role)) for role in ("bridge", "job"))
    await bridge.xadd("serving_stream", {"uri": "u", "data": "d"})
    words: Any = handover.command(Bound("serving_stream", "m"), Keys())
    assert await bridge.execute_command(*words) == [1, 0, 0]
    assert await bridge.hgetall("scurry:models")
    await bridge.execute_command("XREAD", "STREAMS", "scurry:registry", "serving_stream", "0", "0")
    await job.eval("return redis.call('HSET', KEYS[1], 'value', 'NaN')", 1, "cluster-serving_serving_stream:u")
    await bridge.aclose()
    await job.aclose()
    store = ParkedPayloads(url(port, "worker"))
    await store.park([("scurry:payload:a:out:r:y", b"1")])
    assert await store.fetch(["scurry:payload:a:out:r:y"]) == {"scurry:payload:a:out:r:y": b"1"}
    await store.close()


async def test_the_gateway_may_do_what_results_need(port: int) -> None:
    """Note, claim, wait, look, delete, and make ids from keys."""
    job = redis.asyncio.Redis.from_url(url(port, "job"))
    async with Client(url(port, "gateway"), separate_registry=True) as client:
        later, told = Later(client), asyncio.Event()
        assert len(await later.secret()) == 32
        await later.notices.watch("i", told.set)
        assert (await later.claim("i", b"note", 60)).is_new
        await later.send(LaterRequest("i", "m", b"body", [(client.keys.payload_in("i", "x"), b"p")]), 60)
        await later.note("i", b"other", 0)
        await asyncio.wait_for(answer(job, "scurry:bulk"), 10)
        await asyncio.wait_for(told.wait(), 10)
        assert await later.look("i") == (b"other", None)
        await later.forget("i", [client.keys.payload_in("i", "x")])
        assert await later.look("i") == (None, None)
        await later.close()
    await job.aclose()


async def answer(job: redis.asyncio.Redis, stream: str) -> None:
    """What the job does: read, keep the view, reply through its script, trim."""
    entries: list[Any] = []
    while not entries:
        entries = await job.execute_command("XRANGE", stream, "-", "+")
        await asyncio.sleep(0.01)
    fields = entries[-1][1]
    flat = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    await job.hset("scurry:models", "m", "{}")
    script = """redis.call('SET', KEYS[2], '1', 'EX', 9)
    return redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'status', 'ok')"""
    await job.eval(script, 2, flat[b"reply"], b"scurry:done:" + flat[b"id"], flat[b"id"])
    await job.xtrim(stream, maxlen=0)
    assert (await job.info("server"))["redis_version"]
    assert await job.config_get("maxmemory-policy")
