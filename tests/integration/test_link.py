"""Links to real servers: a cluster whose slots move, and a network that falls silent."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from tests.conftest import free_port, redis_binary

from scurry.client import replies
from scurry.client.client import Client
from scurry.inference.payloads import ParkedPayloads
from scurry.redis import connection
from scurry.wire.names import Keys

KEYS = Keys("{c}")
SLOT = 7365  # of `{c}`


def cluster_port() -> int:
    """A free port whose neighbour 10,000 above, where nodes speak to each other, is one and free, too."""
    while True:
        port = free_port()
        with socket.socket() as bus:
            try:
                bus.bind(("127.0.0.1", port + 10_000))
            except (OverflowError, OSError):
                continue
            return port


async def node(folder: Path) -> tuple[subprocess.Popen[bytes], redis.asyncio.Redis]:
    """A Redis in cluster mode, alone so far."""
    port = cluster_port()
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
               "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - starts at once
    server = redis.asyncio.Redis(port=port, decode_responses=True, socket_timeout=10)
    for _ in range(200):
        try:
            await server.ping()
            return process, server
        except redis.exceptions.RedisError:
            assert process.poll() is None, "the node ended as it was started"
            await asyncio.sleep(0.05)
    raise AssertionError("the node does not answer")


async def command(server: redis.asyncio.Redis, *words: Any) -> Any:
    """Whatever a node answers."""
    return await server.execute_command(*words)


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[list[redis.asyncio.Redis]]:
    """Two nodes that know each other; the first owns every slot."""
    for name in "ab":
        (tmp_path / name).mkdir()
    started = [await node(tmp_path / name) for name in "ab"]
    first, second = (server for _, server in started)
    try:
        await command(first, "CLUSTER", "ADDSLOTS", *range(16384))
        await command(first, "CLUSTER", "MEET", "127.0.0.1", port(second))
        for server in (first, second):
            for _ in range(200):
                state = await command(server, "CLUSTER", "INFO")
                if "cluster_state:ok" in str(state) or (isinstance(state, dict) and state["cluster_state"] == "ok"):
                    break
                await asyncio.sleep(0.05)
        yield [first, second]
    finally:
        for process, server in started:
            await server.aclose()
            process.kill()
            process.wait(10)


def port(server: redis.asyncio.Redis) -> int:
    """Where a node listens."""
    return int(server.connection_pool.connection_kwargs["port"])


async def begin_move(source: redis.asyncio.Redis, target: redis.asyncio.Redis) -> None:
    """From here on, keys that are not there yet belong to the target."""
    await command(target, "CLUSTER", "SETSLOT", SLOT, "IMPORTING", await command(source, "CLUSTER", "MYID"))
    await command(source, "CLUSTER", "SETSLOT", SLOT, "MIGRATING", await command(target, "CLUSTER", "MYID"))


async def end_move(source: redis.asyncio.Redis, target: redis.asyncio.Redis) -> None:
    """Every key has moved; so has the slot."""
    for key in await command(source, "CLUSTER", "GETKEYSINSLOT", SLOT, 100):
        await command(source, "MIGRATE", "127.0.0.1", port(target), key, 0, 5000)
    owner = await command(target, "CLUSTER", "MYID")
    for server in (target, source):
        await command(server, "CLUSTER", "SETSLOT", SLOT, "NODE", owner)


async def answer(server: redis.asyncio.Redis, number: int) -> None:
    """Do what the job does for the next request: read it where it lies and reply there."""
    entries: list[Any] = []
    while len(entries) < number:
        entries = await command(server, "XRANGE", KEYS.requests("m"), "-", "+")
        await asyncio.sleep(0.01)
    fields = entries[number - 1][1]
    flat = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    await command(server, "XADD", flat["reply"], "*", "id", flat["id"], "status", "ok")


async def test_client_and_payloads_follow_a_slot_that_moves(nodes: list[redis.asyncio.Redis]) -> None:
    """Asked before, in the middle of and after the move: each gets its reply, by one and the same client."""
    first, second = nodes
    store = ParkedPayloads(f"redis://127.0.0.1:{port(first)}/0")
    async with Client(f"redis://127.0.0.1:{port(first)}/0", namespace="{c}", name="me") as client:
        one = client.submit("m", b"")
        await answer(first, 1)
        assert (await asyncio.wait_for(one, 10))[b"status"] == b"ok"
        await store.park([("{c}:payload:before", b"1")])

        await begin_move(first, second)
        await store.park([("{c}:payload:between", b"2")])
        assert await store.fetch(["{c}:payload:between"]) == {"{c}:payload:between": b"2"}

        await end_move(first, second)
        two = client.submit("m", b"")
        await answer(second, 2)
        assert (await asyncio.wait_for(two, 10))[b"status"] == b"ok"
        keys = ["{c}:payload:before", "{c}:payload:between"]
        assert await store.fetch(keys) == dict(zip(keys, (b"1", b"2"), strict=True))
    await store.close()


class Deaf:
    """A network between client and Redis that stops carrying anything when it is told to."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self.muted: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry both ways."""
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self.pairs.append((writer, other_writer))
        await asyncio.gather(self._carry(reader, other_writer, writer), self._carry(other_reader, writer, writer))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, key: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if key not in self.muted:
                    sink.write(data)
        except OSError:
            pass
        sink.close()

    def mute(self) -> None:
        """Nothing passes on the connections there are; new ones are good."""
        self.muted |= {writer for writer, _ in self.pairs}


async def test_a_network_that_swallows_everything_is_noticed(
    redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both links are made anew, and a request that was swallowed is answered."""
    monkeypatch.setattr(connection, "ANSWER_S", 0.5)
    monkeypatch.setattr(connection, "CHECK_S", 0.1)
    monkeypatch.setattr(replies, "BLOCK_S", 0.2)
    network = Deaf(int(redis_server.url.rpartition(":")[2].partition("/")[0]))
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    here = server.sockets[0].getsockname()[1]
    async with (
        redis.asyncio.from_url(redis_server.url, decode_responses=True) as job,
        Client(f"redis://127.0.0.1:{here}/0", namespace="{c}", name="deaf") as client,
    ):
        await client.ping()
        network.mute()
        future = client.submit("m", b"")
        await answer(job, 1)
        assert (await asyncio.wait_for(future, 10))[b"status"] == b"ok"
        assert len(network.pairs) == 4
    server.close()
    for writer, other in network.pairs:
        writer.close()
        other.close()
    await server.wait_closed()
