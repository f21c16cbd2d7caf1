"""Limits of one connection, told to aiohttp's own machinery. Real sockets: tests/integration/test_listener.py."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from scurry.gateway.doors import patience
from scurry.gateway.doors.aiohttp_connection import AiohttpConnection, AiohttpServer
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.heads import Heads


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Nobody:
    """A door that is not asked."""

    def begin(self, *_: Any) -> None:
        raise AssertionError("aiohttp's handler asks the door, and this one does not")


@pytest.fixture
async def connection() -> Any:
    """A connection whose requests nobody answers."""

    async def wait_for_ever(request: Any) -> Any:
        await asyncio.Event().wait()

    server = AiohttpServer(wait_for_ever, Heads(), Census())
    transport, made = Transport(), server.taking_over(Nobody())
    made.connection_made(transport)
    await asyncio.sleep(0)
    yield made, transport
    made.connection_lost(None)
    await asyncio.sleep(0)


async def test_the_time_for_a_head_begins_with_its_first_byte(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told is our JSON; the connection is closed."""
    monkeypatch.setattr(patience, "HEAD_S", 0.01)
    made, transport = connection
    await asyncio.sleep(0.03)
    assert not transport.closed
    made.data_received(b"GET / HT")
    await asyncio.sleep(0.03)
    assert transport.closed
    assert orjson.loads(transport.written.rpartition(b"\r\n\r\n")[2])["code"] == "bad_request"


async def test_a_whole_head_stops_the_clock(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its body has a time of its own."""
    monkeypatch.setattr(patience, "HEAD_S", 0.01)
    made, transport = connection
    made.data_received(b"POST / HTTP/1.1\r\nHost: x\r\n")
    made.data_received(b"Content-Length: 9\r\n\r\n")
    await asyncio.sleep(0.03)
    assert not transport.closed


async def test_little_of_a_refused_body_is_read(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for its sender to see the answer, not more."""
    monkeypatch.setattr(patience, "LINGER_BYTES", 10)
    made, transport = connection
    made.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n")
    assert isinstance(made, AiohttpConnection)
    made.refuse_the_rest()
    made.data_received(bytes(10))
    assert not transport.closed
    made.data_received(bytes(1))
    assert transport.closed
