"""Bytes out, past aiohttp's own headers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import HttpVersion10, HttpVersion11

from scurry.gateway.doors import patience
from scurry.gateway.doors.event_stream import EventReply
from scurry.gateway.doors.raw_response import RawResponse
from scurry.gateway.doors.replies import WHOLE, HttpReply


class Writer:
    """Keeps each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.read = asyncio.Event()
        self.read.set()

    async def write(self, data: bytes) -> None:
        self.writes.append(data)

    async def drain(self) -> None:
        await self.read.wait()


class Protocol:
    """The connection: whether its caller reads, and whether it is there."""

    def __init__(self) -> None:
        self.writing_paused = False
        self.transport: Protocol | None = self
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Request:
    """What the response needs to know of its request."""

    def __init__(self, method: str = "POST", version: Any = HttpVersion11) -> None:
        self.method, self.version, self.writer = method, version, Writer()
        self.protocol = Protocol()


async def written(request: Request, parts: list[bytes], *, keep_alive: bool = True) -> list[bytes]:
    """What leaves for a reply of these parts."""
    reply = HttpReply(200, b"HTTP/1.1 200 OK\r\n", parts)
    response = RawResponse(reply, request, keep_alive=keep_alive)  # type: ignore[arg-type]
    assert await response.prepare(request) is request.writer  # type: ignore[arg-type]
    await response.write_eof()
    return request.writer.writes


async def test_a_small_response_is_one_write() -> None:
    """With the date, and nothing about the connection, which stays."""
    (whole,) = await written(Request(), [b"{}", b"raw"])
    assert whole.startswith(b"HTTP/1.1 200 OK\r\nDate: ")
    assert whole.endswith(b" GMT\r\nX-Content-Type-Options: nosniff\r\n\r\n{}raw")


async def test_a_large_response_is_not_copied_together() -> None:
    """Its parts leave as they are."""
    large = bytes(WHOLE + 1)
    writes = await written(Request(), [large])
    assert len(writes) == 2
    assert writes[1] is large


@pytest.mark.parametrize(
    ("version", "keep", "line"),
    [(HttpVersion11, False, b"Connection: close"), (HttpVersion10, True, b"Connection: keep-alive")],
)
async def test_what_is_not_the_versions_habit_is_said(version: Any, keep: bool, line: bytes) -> None:
    """HTTP/1.1 keeps connections, HTTP/1.0 closes them."""
    (whole,) = await written(Request(version=version), [b""], keep_alive=keep)
    assert line in whole


async def test_head_gets_no_body() -> None:
    """Its length stands in the head."""
    (whole,) = await written(Request("HEAD"), [b"body"])
    assert whole.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("part", [b"{}", bytes(WHOLE + 1)])
async def test_a_caller_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    """Small answers too: a pipeline of them would fill the memory."""
    monkeypatch.setattr(patience, "SEND_S", 0.01)
    request = Request()
    request.protocol.writing_paused = True
    request.writer.read.clear()
    with pytest.raises(ConnectionResetError):
        await written(request, [part])
    assert request.protocol.aborted


class Ticking:
    """Sends two events and ends."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def open(self, outlet: Any) -> None:
        self.outlet = outlet
        outlet.send(b"data: 1\n\n")

    def resume(self) -> None:
        self.told.append("resume")
        self.outlet.send(b"data: 2\n\n")
        self.outlet.end()

    def close(self) -> None:
        self.told.append("close")


@pytest.mark.parametrize(
    ("version", "ends"),
    [
        (HttpVersion11, b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"),
        (HttpVersion10, b"\r\n\r\ndata: 1\n\ndata: 2\n\n"),
    ],
)
async def test_events_are_written_as_they_come(version: Any, ends: bytes) -> None:
    """In chunks where they are known; the next when those before are written. The connection ends with them."""
    request, events = Request("GET", version), Ticking()
    response = RawResponse(EventReply(events), request, keep_alive=True)  # type: ignore[arg-type]
    await response.write_eof()
    assert b"".join(request.writer.writes).endswith(ends)
    assert request.writer.writes[0].endswith(b"Connection: close\r\n\r\n")
    assert events.told == ["resume", "close"]
    assert not response.keep_alive


async def test_a_caller_that_goes_ends_events() -> None:
    """aiohttp says so when it writes."""
    request, events = Request("GET"), Ticking()

    async def fail(data: bytes) -> None:
        if b"data" in data:
            raise ConnectionResetError

    request.writer.write = fail  # type: ignore[method-assign]
    with pytest.raises(ConnectionResetError):
        await RawResponse(EventReply(events), request, keep_alive=True).write_eof()  # type: ignore[arg-type]
    assert events.told == ["close"]
    head = Request("HEAD")
    await RawResponse(EventReply(events), head, keep_alive=True).write_eof()  # type: ignore[arg-type]
    assert len(head.writer.writes) == 1
