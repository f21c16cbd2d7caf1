"""Sentinels that say where the master is, over sockets of the event loop's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from scurry.redis import sentinel
from scurry.redis.address import Address
from scurry.redis.sentinel import locate

FOUND = b"*2\r\n$8\r\n10.0.0.7\r\n$4\r\n6390\r\n"
NONE = b"*-1\r\n"


class Fakes:
    """Sentinels by host; each says what it is told to, or refuses the connection."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.heard: list[bytes] = []

    async def open(self, host: str, port: int, **_: Any) -> tuple[asyncio.StreamReader, Any]:
        """As `asyncio.open_connection`."""
        self.asked.append(host)
        if host not in self.answers:
            raise ConnectionRefusedError(111, "Connection refused")
        reader = asyncio.StreamReader()
        reader.feed_data(self.answers[host])
        reader.feed_eof()
        return reader, self

    def write(self, data: bytes) -> None:
        """What is asked."""
        self.heard.append(data)

    def close(self) -> None:
        """Nothing is to be closed."""


@pytest.fixture
async def fakes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fakes]:
    """Whoever is asked."""
    made = Fakes()
    monkeypatch.setattr(sentinel.asyncio, "open_connection", made.open)
    monkeypatch.setattr(sentinel, "_turns", iter((0, 1, 2, 3)))
    yield made


async def test_an_address_without_sentinels_is_itself(fakes: Fakes) -> None:
    """Nobody is asked."""
    address = Address.parse("redis://r:1/2")
    assert await locate(address) is address
    assert fakes.asked == []


async def test_the_master_is_spoken_to_as_the_address_says(fakes: Fakes) -> None:
    """Its place is the Sentinel's answer, database and user are ours."""
    fakes.answers = {"a": FOUND}
    found = await locate(Address.parse("redis+sentinel://ann:pw@a/m/2"))
    assert (str(found), found.db, found.login.username) == ("10.0.0.7:6390", 2, "ann")
    assert b"GET-MASTER-ADDR-BY-NAME" in fakes.heard[0]
    assert b"pw" not in fakes.heard[0]


async def test_each_question_begins_with_another_sentinel(fakes: Fakes) -> None:
    """One that is cut off must not mislead us for ever."""
    fakes.answers = {"a": FOUND, "b": FOUND}
    address = Address.parse("redis+sentinel://a,b/m")
    for _ in range(3):
        await locate(address)
    assert fakes.asked == ["a", "b", "a"]


async def test_who_is_down_or_knows_nothing_is_passed_over(fakes: Fakes) -> None:
    """Down, of another master, refusing, speaking something else: the next is asked."""
    fakes.answers = {"b": NONE, "c": b"-NOAUTH Required.\r\n", "d": b"HTTP/1.1 400\r\n", "e": b"", "f": FOUND}
    found = await locate(Address.parse("redis+sentinel://a,b,c,d,e,f/m"))
    assert (found.host, fakes.asked) == ("10.0.0.7", list("abcdef"))


@pytest.mark.parametrize(
    ("answer", "words"), [(NONE, "knows no master m"), (b"-NOAUTH Authentication required.\r\n", "NOAUTH")]
)
async def test_without_a_master_there_is_no_connection(fakes: Fakes, answer: bytes, words: str) -> None:
    """An `OSError`, as if nobody listened: whoever connects tries again."""
    fakes.answers = {"a": answer}
    with pytest.raises(OSError, match=words):
        await locate(Address.parse("redis+sentinel://a/m"))


async def test_a_sentinel_with_a_password_is_told_it(fakes: Fakes) -> None:
    """Its own, which is not Redis'."""
    fakes.answers = {"a": b"+OK\r\n" + FOUND}
    await locate(Address.parse("redis+sentinel://:pw@a/m?sentinel_password=s3"))
    assert b"AUTH\r\n$2\r\ns3" in fakes.heard[0]
