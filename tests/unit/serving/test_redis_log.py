"""A long append-only file is written anew when Redis comes back with it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import free_port, redis_binary, wait_for_redis

from scurry.client.client import Client
from scurry.serving import redis_server
from scurry.serving.redis_log import is_long, keep_short


@contextmanager
def running(port: int, data: Path) -> Iterator[None]:
    """Our own Redis, as `scurry up` starts it."""
    process = subprocess.Popen(redis_server.command(redis_binary(), port, data), stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(port, 10)
        yield
    finally:
        process.kill()
        process.wait(10)


async def size(client: Client) -> int:
    """Bytes of the append-only file."""
    info = (await client.command("INFO", "persistence")).decode()
    return int(info.partition("aof_current_size:")[2].splitlines()[0])


async def test_what_was_overwritten_is_not_read_again_and_again(tmp_path: Path) -> None:
    """Redis itself would wait until a file of 3 MB has doubled, whatever it holds."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with running(port, tmp_path):
        async with Client(url) as client:
            await asyncio.gather(*(client.command("SET", "k", "v" * 1000) for _ in range(3_000)))
    with running(port, tmp_path):
        async with Client(url) as client:
            assert await size(client) > 3_000_000
            keeping = asyncio.create_task(keep_short(url, long_bytes=1_000_000, look_s=0.05))
            async with asyncio.timeout(20):
                while await size(client) > 100_000:  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(0.05)
            assert await client.command("GET", "k") == b"v" * 1000
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping


@pytest.mark.parametrize(("size", "memory", "expected"), [(300, 200, True), (300, 400, False), (200, 100, False)])
def test_what_is_long(size: int, memory: int, *, expected: bool) -> None:
    """Above the limit, and above what its contents take; one without a file never is."""
    assert is_long({"aof_current_size": str(size), "used_memory": str(memory)}, 250) is expected
    assert not is_long({"used_memory": str(memory)}, 250)
