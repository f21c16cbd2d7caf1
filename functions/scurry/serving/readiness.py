"""Waits until a process can do its work, or says why it cannot."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from scurry.redis.address import Address
from scurry.redis.connection import connect
from scurry.serving.processes import Child, StartFailed

POLL_S = 0.1
ANSWER_S = 5.0
GATEWAY_LINE: Final = "gateway ready on"
"""What a gateway logs once it listens; several share one port, so that an answer from there is no word of each."""

BRIDGE_LINE: Final = "bridge ready"
"""What a bridge logs once it has seen what is bound."""

Check = Callable[[], Awaitable[bool]]


async def until(
    check: Check, child: Child | None, name: str, patience_s: float, restarts: Callable[[], int] = lambda: 0
) -> None:
    """Return when the check holds. Raises `StartFailed` when the process ends or the time is over.

    The time begins anew whenever something was started again meanwhile: it or what it needs is on its way.
    """
    seen, loop = restarts(), asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience_s) as limit:
            while not await check():
                if child is not None:
                    child.check_alive()
                if seen != restarts():
                    seen = restarts()
                    limit.reschedule(loop.time() + patience_s)
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        if child is None:
            raise StartFailed(f"{name} does not answer.") from None
        words = f"{child.plan.log} ends:\n{child.last_words()}"
        raise StartFailed(f"{name} did not get ready within {patience_s:g} s; {words}") from None


async def redis_answers(url: str) -> bool:
    """Whether a Redis answers to PING; one that is still loading its data does not."""
    try:
        link = await connect(Address.parse(url), lambda *_: None, ConnectionError)
    except OSError:
        return False
    link.close()
    return True


async def http_says_ready(host: str, port: int, path: str, *, tls: bool = False) -> bool:
    """Whether GET path is answered with 200. Whose certificate is shown is not looked at: we started it."""
    return (await _get(host, port, path, tls=tls)).partition(b"\r\n")[0].find(b" 200 ") > 0


async def rest_says_running(host: str, port: int) -> bool:
    """Whether Flink says that every job of its runs."""
    body = (await _get(host, port, "/jobs")).partition(b"\r\n\r\n")[2]
    try:
        jobs = json.loads(body)["jobs"]
        return bool(jobs) and all(job["status"] == "RUNNING" for job in jobs)
    except (ValueError, KeyError, TypeError):
        return False


async def _get(host: str, port: int, path: str, *, tls: bool = False) -> bytes:
    """The whole answer to GET path; empty when there is none."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=_unchecked() if tls else None)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                return await reader.read()
            finally:
                writer.close()
    except (OSError, ValueError):
        return b""


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def log_says(child: Child, line: str) -> bool:
    """Whether the process has logged this line since it started."""
    return line in child.said()
