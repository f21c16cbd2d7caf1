"""The client against a real Redis, with an echo in place of the job."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
import redis.asyncio

from scurry.client.blocking import BlockingClient
from scurry.client.client import Client
from scurry.serving import redis_server as binary
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.names import Keys

MANY = 2000


@asynccontextmanager
async def echo(url: str, namespace: str) -> AsyncIterator[None]:
    """Answer every request with its own inputs, as a job would."""
    server, keys, stop = redis.asyncio.from_url(url), Keys(namespace), asyncio.Event()
    task = asyncio.create_task(_echo(server, keys, stop))
    try:
        yield
    finally:
        stop.set()  # not cancel(): redis-py may make a connection error of that
        await task
        await server.aclose()


async def _echo(server: redis.asyncio.Redis, keys: Keys, stop: asyncio.Event) -> None:
    last = b"0-0"
    while not stop.is_set():
        try:
            got = await server.execute_command("XREAD", "COUNT", 500, "STREAMS", keys.requests(""), last)
        except redis.exceptions.ConnectionError:
            await asyncio.sleep(0.05)
            continue
        streams = got.values() if isinstance(got, dict) else [items for _, items in got or ()]
        for items in streams:
            async with server.pipeline(transaction=False) as pipe:
                for entry, fields in items[0] if items and isinstance(items[0], list) else items:
                    flat = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
                    last = entry
                    pipe.xadd(flat[b"reply"], await _answer(server, flat))
                await pipe.execute()
        await asyncio.sleep(0.001)


async def _answer(server: redis.asyncio.Redis, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    request, reply = InferRequest.FromString(fields[b"request"]), InferReply()
    for tensor in request.inputs:
        data = await server.get(tensor.payload) if tensor.payload else tensor.data
        reply.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape, data=data)
    head = {b"id": fields[b"id"], b"status": b"ok", b"model": fields[b"model"], b"version": b"1"}
    return head | {b"reply": reply.SerializeToString()}


async def test_thousands_of_requests_get_each_its_own_answer(redis_server):
    """No answer is lost, none goes to another request, and the reply stream stays short."""
    async with echo(redis_server.url, "many"), Client(redis_server.url, namespace="many", name="me") as client:
        outputs = await asyncio.gather(*(client.infer("m", {"x": np.int64([n])}) for n in range(MANY)))
        assert [int(output["x"][0]) for output in outputs] == list(range(MANY))
        await asyncio.sleep(0.1)
        async with redis.asyncio.from_url(redis_server.url) as server:
            assert await server.xlen("many:replies:me") == 0
    async with redis.asyncio.from_url(redis_server.url) as server:
        assert not await server.exists("many:replies:me")


async def test_six_hundred_kilobytes_go_there_and_back(redis_server):
    """The payload is parked, bit for bit."""
    picture = np.random.default_rng(1).random((1, 3, 224, 224), np.float32)
    async with echo(redis_server.url, "big"), Client(redis_server.url, namespace="big") as client:
        outputs = await client.infer("m", {"x": picture})
        np.testing.assert_array_equal(outputs["x"], picture)


async def test_the_number_of_partitions_is_read_from_redis(redis_server):
    """A request goes to the stream of its model's partition."""
    async with redis.asyncio.from_url(redis_server.url) as server:
        await server.set("parted:partitions", 3)
        async with Client(redis_server.url, namespace="parted") as client:
            future = client.submit("digits", b"", timeout=0.05)
            await asyncio.gather(future, return_exceptions=True)
        assert await server.xlen(Keys("parted").requests("digits", 3)) == 1


async def test_a_redis_that_comes_back_answers_what_was_asked_before(tmp_path):
    """Asked while Redis was dead, answered once it lives again; nobody has to try twice."""
    port = _free_port()
    url, first = f"redis://127.0.0.1:{port}/0", await _start(port, tmp_path)
    try:
        async with Client(url) as client, echo(url, "scurry"):
            assert (await client.infer("m", {"x": np.int64([1])}))["x"] == [1]
            os.kill(first.pid, signal.SIGKILL)
            await asyncio.to_thread(first.wait)
            waiting = [asyncio.create_task(client.infer("m", {"x": np.int64([n])})) for n in range(50)]
            await asyncio.sleep(0.3)
            with pytest.raises(ScurryError, match=f"127.0.0.1:{port}"):
                await client.ping()
            first = await _start(port, tmp_path)
            assert [int(output["x"][0]) for output in await asyncio.gather(*waiting)] == list(range(50))
    finally:
        first.kill()
        await asyncio.to_thread(first.wait)


def test_the_facade_talks_to_a_real_redis(redis_server):
    """From code without a loop."""
    with BlockingClient(redis_server.url, namespace="sync") as client:
        client.ping()
        assert client.models() == {}
        with pytest.raises(ScurryError, match="No answer"):
            client.infer("m", {"x": np.int64([1])}, timeout=0.05)


FORKS = """
import os, sys
from scurry import BlockingClient
client = BlockingClient(sys.argv[1], namespace="fork")
child = os.fork()
if not child:
    try:
        client.ping()
    except RuntimeError as told:
        os._exit(7 if "forked" in str(told) else 1)
    os._exit(2)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
client.ping()
client.close()
"""


def test_a_forked_process_is_told_and_the_parent_goes_on(redis_server):
    """As pre-forking web servers fork."""
    subprocess.run([sys.executable, "-c", FORKS, redis_server.url], check=True, timeout=30)


async def test_lists_are_sent_in_the_models_own_type(redis_server):
    """Which the registry's view knows; without it, as numpy makes them."""
    record = {"routes": {"1": 1}, "versions": [
        {"version": "1", "signature": {"inputs": [{"name": "x", "datatype": "FP32"}]}}]}  # fmt: skip
    async with redis.asyncio.from_url(redis_server.url) as server:
        await server.hset("cast:models", "m", json.dumps(record))
    async with echo(redis_server.url, "cast"), Client(redis_server.url, namespace="cast") as client:
        assert (await client.infer("m", {"x": [0.5, 1]}))["x"].dtype == np.float32
        assert (await client.infer("unknown", {"x": [0.5, 1]}))["x"].dtype == np.float64


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def _start(port: int, folder: os.PathLike[str]) -> subprocess.Popen[bytes]:
    """A Redis of the test's own, once it answers."""
    command = binary.command(binary.find(os.environ).path, port, folder)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr)  # noqa: ASYNC220 - starts at once
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return process
    raise TimeoutError("Redis did not start")
