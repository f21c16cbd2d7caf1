"""How many connections there are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.gateway.doors import census, patience
from scurry.gateway.doors.census import Census, TurnedAway


class Transport(asyncio.Transport):
    """A connection from an address."""

    def __init__(self, address: str = "10.0.0.1") -> None:
        super().__init__()
        self.address, self.written, self.aborted, self.protocol = address, b"", False, None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self.address, 1) if name == "peername" else default

    def write(self, data: Any) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


async def test_one_above_the_limit_is_told_so() -> None:
    """Until another goes; one that leaves twice was one."""
    counted = Census(max_connections=2)
    first, second, third = Transport(), Transport(), Transport()
    assert [counted.enter(one) for one in (first, second, third)] == [True, True, False]
    assert third.written.startswith(b"HTTP/1.1 503 ")
    assert b"2 connections are open" in third.written
    counted.leave(first)
    counted.leave(first)
    counted.leave(third)
    assert len(counted) == 1
    assert counted.enter(Transport())


async def test_each_protocol_has_its_words() -> None:
    """Who speaks another is told in that."""
    counted, second = Census(max_connections=1), Transport()
    counted.enter(Transport())
    assert not counted.enter(second, lambda cause: cause.code.encode())
    assert second.written == b"overloaded"


async def test_each_address_has_its_share() -> None:
    """Others come in all the same."""
    counted = Census(max_per_address=1)
    assert counted.enter(Transport())
    again = Transport()
    assert not counted.enter(again)
    assert again.written.startswith(b"HTTP/1.1 429 ")
    assert counted.enter(Transport("10.0.0.2"))
    assert repr(counted) == "<Census 2 connections from 2 addresses>"


async def test_who_is_turned_away_has_a_moment_to_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many of them nobody is told any more."""
    monkeypatch.setattr(patience, "LINGER_S", 0.01)
    monkeypatch.setattr(census, "TURNED_AWAY", 1)
    counted = Census(max_connections=1)
    counted.enter(Transport())
    told, dropped = Transport(), Transport()
    counted.enter(told)
    counted.enter(dropped)
    assert (told.aborted, dropped.aborted, dropped.written) == (False, True, b"")
    while not told.aborted:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    assert isinstance(told.protocol, TurnedAway)
    told.protocol.connection_lost(None)
    another = Transport()
    counted.enter(another)
    assert another.written
    another.protocol.connection_lost(None)  # type: ignore[attr-defined]


async def test_one_who_does_not_read_the_last_of_it_is_dropped() -> None:
    """A close waits for what is written to be read; not for ever."""
    counted, closing, there = Census(), Transport(), Transport()
    counted.enter(closing)
    counted.enter(there)
    closing.is_closing = lambda: True  # type: ignore[method-assign]
    there.is_closing = lambda: False  # type: ignore[method-assign]
    for now in (100, 100 + patience.SEND_S):
        counted.abort_late(now)
        assert not closing.aborted
    counted.abort_late(101 + patience.SEND_S)
    assert (closing.aborted, there.aborted) == (True, False)
    counted.leave(closing)
    assert repr(counted) == "<Census 1 connections from 1 addresses>"


async def test_without_limits_everybody_comes_in() -> None:
    """And is counted, whatever its address is: a Unix socket has none."""
    counted = Census()
    assert all(counted.enter(Transport()) for _ in range(100))
    nameless = Transport()
    nameless.get_extra_info = lambda name, default=None: ""  # type: ignore[method-assign]
    assert counted.enter(nameless)
    assert len(counted) == 101
