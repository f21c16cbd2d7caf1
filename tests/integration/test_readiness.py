"""Whether a process can do its work is asked of the process itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.certificates import Authority
from tests.conftest import free_port

from scurry.serving.processes import Child, Plan, StartFailed
from scurry.serving.readiness import http_says_ready, log_says, redis_answers, rest_says_running, until
from scurry.serving.tls import Tls

Serve = Callable[[bytes], Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers that give one answer to everything; returns their port."""
    servers = []

    async def one(answer: bytes) -> int:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        servers.append(await asyncio.start_server(reply, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield one
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "is_ready"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", True), (b"HTTP/1.1 503 No\r\n\r\n 200 ", False), (b"", False), (b"\xff\n", False)],
)
async def test_only_200_is_ready(serve: Serve, answer: bytes, is_ready: bool) -> None:
    """In the status line, whatever the body says."""
    assert await http_says_ready("127.0.0.1", await serve(answer), "/readyz") is is_ready


async def test_a_gateway_behind_tls_is_asked_too(tmp_path: Path) -> None:
    """Whoever signed its certificate; over plain HTTP it is not ready."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    context = Tls(*Authority(tmp_path).sign("server")).context()
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    assert await http_says_ready("127.0.0.1", port, "/readyz", tls=True)
    assert not await http_says_ready("127.0.0.1", port, "/readyz")
    server.close()
    await server.wait_closed()


async def test_nobody_there_is_not_ready() -> None:
    """Neither HTTP nor Redis nor Flink raises."""
    port = free_port()
    assert not await http_says_ready("127.0.0.1", port, "/")
    assert not await rest_says_running("127.0.0.1", port)
    assert not await redis_answers(f"redis://127.0.0.1:{port}/0")


@pytest.mark.parametrize(
    ("body", "runs"),
    [
        (b'{"jobs":[{"id":"a","status":"RUNNING"}]}', True),
        (b'{"jobs":[{"id":"a","status":"RESTARTING"}]}', False),
        (b'{"jobs":[]}', False),
        (b"[]", False),
        (b"<html>", False),
    ],
)
async def test_flink_is_asked_for_its_job(serve: Serve, body: bytes, runs: bool) -> None:
    """One that restarts in a loop does not run."""
    assert await rest_says_running("127.0.0.1", await serve(b"HTTP/1.1 200 OK\r\n\r\n" + body)) is runs


async def test_a_redis_that_answers_is_ready(redis_server) -> None:
    """A real one."""
    assert await redis_answers(redis_server.url)


async def test_waiting_ends_with_the_process(tmp_path: Path) -> None:
    """Its last words are said; so they are when the time is over, and when nobody of ours is waited for."""
    child = Child(Plan("c", ["/bin/sh", "-c", "echo ready; echo no luck; exit 1"], tmp_path / "c.log"))
    await child.start()

    async def never() -> bool:
        return False

    with pytest.raises(StartFailed, match=r"c ended with status 1; .*\n  ready\n  no luck"):
        await until(never, child, "c", 10)
    assert await log_says(child, "ready")
    patient = Child(Plan("p", ["/bin/sleep", "9"], tmp_path / "p.log"))
    await patient.start()
    with pytest.raises(StartFailed, match=r"p did not get ready within 0\.01 s"):
        await until(never, patient, "p", 0.01)
    await patient.stop(5)
    with pytest.raises(StartFailed, match=r"^Redis at r:1 does not answer\.$"):
        await until(never, None, "Redis at r:1", 0.01)


async def test_the_time_begins_anew_when_something_is_started_again(tmp_path: Path) -> None:
    """It waits for what was killed meanwhile and is on its way."""
    child = Child(Plan("p", ["/bin/sleep", "9"], tmp_path / "p.log"))
    await child.start()
    looks = 0

    async def at_last() -> bool:
        nonlocal looks
        looks += 1
        return looks == 15  # 1.4 s after the first

    try:
        with pytest.raises(StartFailed, match=r"p did not get ready within 1 s"):
            await until(at_last, child, "p", 1)
        looks = 0
        await until(at_last, child, "p", 1, lambda: looks)
    finally:
        await child.stop(5)
