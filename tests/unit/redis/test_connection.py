"""One connection: answers in order, and a peer that falls silent."""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis
import pytest

from scurry.redis import connection as module
from scurry.redis.address import Address
from scurry.redis.connection import Command, pack, pack_set


@pytest.fixture
def lost() -> list[Any]:
    """What the owner was told about lost connections."""
    return []


@pytest.fixture
async def link(cluster: Any, lost: list[Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connection whose watch looks every hundredth of a second."""
    monkeypatch.setattr(module, "CHECK_S", 0.01)
    return await cluster.connect(Address.parse("redis://a:1/0"), lambda *told: lost.append(told), RuntimeError)


async def test_an_answer_belongs_to_the_oldest_command(link: Any, cluster: Any) -> None:
    """A refusal fails its own command only."""
    loop = asyncio.get_running_loop()
    cluster.node("a:1").answers = lambda command: b"-ERR no\r\n" if command[0] == b"BAD" else b":7\r\n"
    one, two = loop.create_future(), loop.create_future()
    link.write([Command(pack("BAD"), one), Command(pack("GOOD"), two)])
    assert await two == 7
    with pytest.raises(RuntimeError, match="ERR no"):
        await one


async def test_a_refused_command_may_be_taken_over(cluster: Any) -> None:
    """Then nobody is told of the refusal."""
    taken: list[str] = []

    def take(_link: Any, _command: Command, text: str) -> bool:
        taken.append(text)
        return True

    link = await cluster.connect(Address.parse("redis://a:1/0"), lambda *_: None, RuntimeError, take)
    cluster.node("a:1").answers = lambda command: b"-MOVED 1 b:2\r\n"
    future = asyncio.get_running_loop().create_future()
    link.write([Command(pack("GET", "k"), future)])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (taken, future.done()) == (["MOVED 1 b:2"], False)


async def test_a_half_dead_connection_is_closed(link: Any, cluster: Any, lost: list[Any]) -> None:
    """It accepts everything and answers nothing: the oldest command's age decides."""
    cluster.node("a:1").answers = lambda command: None
    link.write([Command(pack("GET", "k"), patience=0.03)])
    await asyncio.wait_for(until(lambda: lost), 5)
    assert not link.open


async def test_a_long_read_has_its_own_patience(link: Any, cluster: Any, lost: list[Any]) -> None:
    """A blocked read is silent for seconds, and nothing is wrong."""
    cluster.node("a:1").answers = lambda command: None
    link.write([Command(pack("XREAD"), patience=60)])
    await asyncio.sleep(0.05)
    assert lost == []
    assert link.open


async def test_an_upload_that_goes_on_leaving_is_alive(link: Any, cluster: Any, lost: list[Any]) -> None:
    """Bytes that still leave are a sign of life; when they stop, the age counts."""
    node = cluster.node("a:1")
    node.answers, node.stuck = (lambda command: None), 1000
    link.write([Command(pack_set("k", bytes(1000), 9), patience=0.05)])
    for left in range(900, 0, -100):
        node.stuck = left
        await asyncio.sleep(0.02)
        assert lost == []
    await asyncio.wait_for(until(lambda: lost), 5)


async def test_an_idle_connection_is_left_alone(link: Any, lost: list[Any]) -> None:
    """Nothing is asked, nothing is missing."""
    await asyncio.sleep(0.05)
    assert lost == []


def test_a_value_is_sent_without_being_copied() -> None:
    """Head, the very bytes, tail."""
    value = memoryview(bytes(9000))
    parts = pack_set("k", value, 60)
    assert parts[1] is value
    reader = hiredis.Reader()
    reader.feed(b"".join(parts))
    assert reader.gets() == [b"SET", b"k", bytes(9000), b"EX", b"60"]


async def until(true: Any) -> None:
    """Return once it is."""
    while not true():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.005)
