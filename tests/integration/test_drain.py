"""A gateway that stops under load: nobody's connection breaks, whatever he is doing."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import Any

import pytest
from tests.integration.listening import BODY, CLOSE, Gateway, listening, post, status

from scurry.gateway.doors import patience

__all__ = ["listening"]

MANY = 300
CHUNKED = post(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), "Transfer-Encoding: chunked")


class Keeper:
    """A caller that keeps its connection as long as it is not told otherwise, and counts how it ended."""

    def __init__(self, port: int, request: bytes, pause: float, counts: Counter[str]) -> None:
        self.port, self.request, self.pause, self.counts = port, request, pause, counts

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until the gateway is gone."""
        while not stop.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                return  # nobody listens any more
            await self._ask(reader, writer, stop)
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stop: asyncio.Event) -> None:
        for number in range(1_000_000):
            if stop.is_set() or (reader.at_eof() and number):
                return
            writer.write(self.request)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.counts["broken on a new connection" if number == 0 else "broken on a kept one"] += 1
                return
            self.counts[str(status(head))] += 1
            if b"Connection: close" in head:
                self.counts["told"] += 1
                return
            await asyncio.sleep(self.pause)


@pytest.mark.parametrize("request_bytes", [post(BODY), CHUNKED], ids=["usual", "by aiohttp"])
async def test_no_kept_connection_breaks(gateway: Gateway, request_bytes: bytes) -> None:
    """Those that ask again are told with an answer; new ones hear 503; the gateway is gone once they are."""
    counts: Counter[str] = Counter()
    stop = asyncio.Event()
    callers = [Keeper(gateway.port, request_bytes, (n % 10) / 50, counts) for n in range(MANY)]
    tasks = [asyncio.create_task(one.run(stop)) for one in callers]
    while counts["200"] < 3 * MANY:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    await asyncio.wait_for(gateway.listener.close(10), 15)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert counts["broken on a kept one"] == 0, counts
    assert counts["told"] >= MANY
    assert set(counts) <= {"200", "503", "told", "broken on a new connection", "broken on a kept one"}


@pytest.mark.parametrize("kept", [post(BODY), CHUNKED], ids=["usual", "by aiohttp"])
async def test_an_idle_connection_is_told_with_its_next_answer(gateway: Gateway, kept: bytes) -> None:
    """Which is an answer as before; one that says nothing is closed a moment later."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    silent, other = await asyncio.open_connection("127.0.0.1", gateway.port)
    for one in (writer, other):
        one.write(kept)
    await reader.readuntil(b"]}]}")
    await silent.readuntil(b"]}]}")
    closing = asyncio.create_task(gateway.listener.close(10))
    await asyncio.sleep(patience.QUIET_S / 3)
    writer.write(kept)
    told = await asyncio.wait_for(reader.read(), 5)
    assert status(told) == 200
    assert b"\r\nConnection: close\r\n" in told
    assert await asyncio.wait_for(silent.read(), 5) == b""
    await asyncio.wait_for(closing, 5)
    for one in (writer, other):
        one.close()


async def test_a_body_that_is_coming_is_waited_for(gateway: Gateway) -> None:
    """It has been admitted; one who asks nothing does not hold the gateway."""
    gateway.listener.body_timeout_s = 5
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(post(BODY)[:-5])
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(gateway.listener.close(10))
    await asyncio.sleep(patience.QUIET_S * 1.5)
    assert not closing.done()
    writer.write(BODY[-5:])
    assert status(await asyncio.wait_for(reader.read(), 5)) == 200
    await asyncio.wait_for(closing, 5)
    writer.close()


async def test_the_time_to_drain_has_an_end(gateway: Gateway) -> None:
    """One whose model does not answer does not hold it for ever."""
    gateway.client.gate.clear()
    asked = asyncio.create_task(gateway.send(post(BODY, CLOSE)))
    await gateway.client.busy.wait()
    await asyncio.wait_for(gateway.listener.close(0.3), 5)
    assert await asked == b""
    gateway.client.gate.set()


async def test_who_shares_his_port_leaves_new_callers_to_the_others(gateway: Gateway) -> None:
    """He listens no more at once."""
    shared: Any = type(gateway.listener)(
        gateway.listener.door, gateway.listener.admission, max_body_bytes=1000, body_timeout_s=1
    )
    port = await shared.open("127.0.0.1", 0, reuse_port=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    closing = asyncio.create_task(shared.close(10))
    await asyncio.sleep(0.05)
    with socket.socket() as one, pytest.raises(OSError):
        one.connect(("127.0.0.1", port))
    assert await asyncio.wait_for(reader.read(), 5) == b""
    await closing
    writer.close()
