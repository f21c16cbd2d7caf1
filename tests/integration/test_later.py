"""Results over a real Redis: its own TTLs, its clock, and its absence."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import free_port, redis_binary, wait_for_redis
from tests.unit.gateway.later import FORM, call

from scurry.client.client import Client
from scurry.gateway.ask import Ask
from scurry.gateway.results import Results
from scurry.wire.errors import NotFound

NAMESPACE = "later-test"


def results_of(client: Client) -> Results:
    """A gateway's."""
    return Results(Ask(client, max_in_flight=10, timeout_s=5.0), client, seconds=60)


@contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers there, ended in the end."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(port, 10)
        yield server
    finally:
        end(server)


def end(server: subprocess.Popen[bytes]) -> None:
    """End it, if it runs still."""
    server.terminate()
    server.wait(10)


async def answer(client: Client, request_id: str) -> None:
    """As the egress does: the result, then the notice."""
    fields = ("id", request_id, "status", "ok", "model", "m", "version", "1", "reply", "")
    await client.command("HSET", client.keys.result(request_id), *fields)
    await client.command("XADD", client.keys.notices, "*", *fields)


async def submit(results: Results, key: str = "") -> str:
    """A request that nobody answers by himself."""
    request_id = await results.id_for(key, "")
    await results.submit(call(request_id), FORM, keyed=bool(key))
    return request_id


@pytest.fixture
async def pair(redis_server: Any) -> AsyncIterator[tuple[Client, Results, Results]]:
    """Two gateways over one Redis."""
    url = redis_server.url
    async with Client(url, namespace=NAMESPACE) as one, Client(url, namespace=NAMESPACE) as two:
        first, second = results_of(one), results_of(two)
        yield one, first, second
        await first.close()
        await second.close()


async def test_both_gateways_are_told(pair: tuple[Client, Results, Results]) -> None:
    """Whoever submitted it, and however many wait."""
    client, first, second = pair
    request_id = await submit(first)
    waiting = [asyncio.create_task(each.wait(request_id, "", 30)) for each in (first, second) * 50]
    await asyncio.sleep(0.2)
    assert not any(one.done() for one in waiting)
    await answer(client, request_id)
    assert all(found.fields for found in await asyncio.wait_for(asyncio.gather(*waiting), 10))


async def test_lives_are_redis_own(pair: tuple[Client, Results, Results]) -> None:
    """A deleted note keeps its time, and ends with it."""
    client, first, second = pair
    request_id = await submit(first, "k")
    assert 55 <= await client.command("TTL", client.keys.asked(request_id)) <= 60
    await first.delete(request_id)
    assert 55 <= await client.command("TTL", client.keys.asked(request_id)) <= 60
    with pytest.raises(NotFound):
        await second.look(request_id)
    assert await first.id_for("k", "") == await second.id_for("k", "") == request_id


async def test_old_notices_go(pair: tuple[Client, Results, Results]) -> None:
    """By Redis' clock; those of the last seconds stay for readers that were away."""
    client, first, _ = pair
    await client.command("UNLINK", client.keys.notices)
    for number in range(1, 301):
        await client.command("XADD", client.keys.notices, f"{number}-0", "id", "old")
    await answer(client, await submit(first))
    await asyncio.sleep(1.1)
    await submit(first)
    await client.ping()
    assert await client.command("XLEN", client.keys.notices) < 150  # whole nodes of the stream only


async def test_who_waits_outlives_a_restart_of_redis(tmp_path: Path) -> None:
    """The wait goes on, and what is answered after it is told."""
    port = free_port()
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--appendonly", "yes"]
    command += ["--dir", str(tmp_path)]
    with running(command, port) as server:
        async with Client(f"redis://127.0.0.1:{port}/0", namespace=NAMESPACE) as client:
            results = results_of(client)
            request_id = await submit(results)
            waiting = asyncio.create_task(results.wait(request_id, "", 60))
            await asyncio.sleep(0.2)
            end(server)
            looking = asyncio.create_task(results.look(request_id))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            assert not looking.done()  # nobody can say, so nobody says `unknown`
            with running(command, port):
                assert (await asyncio.wait_for(looking, 20)).fields is None
                await answer(client, request_id)
                found = await asyncio.wait_for(waiting, 30)
                assert found.fields is not None
                assert found.fields[b"status"] == b"ok"
                await results.close()
