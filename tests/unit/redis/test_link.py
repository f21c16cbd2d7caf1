"""A connection that goes on by itself: moved keys, lost servers, pauses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from scurry.redis.address import Address
from scurry.redis.connection import Command, pack
from scurry.redis.link import Link
from scurry.wire.errors import Unavailable

MOVED = b"-MOVED 866 b:2\r\n"


@pytest.fixture
async def link(cluster: Any) -> AsyncIterator[Link]:
    """A link to node `a:1`."""
    made = Link(Address.parse("redis://a:1/0"))
    await made.open()
    yield made
    await made.close()


async def within(awaitable: Any) -> Any:
    """Its result; a hang is a failure, not a test that never ends."""
    return await asyncio.wait_for(awaitable, 5)


async def test_keys_that_moved_are_followed(link: Link, cluster: Any) -> None:
    """Every command of the pile goes to the node that MOVED names, in its order, and later ones at once."""
    a, b = cluster.node("a:1"), cluster.node("b:2")
    a.answers = lambda command: MOVED
    futures = [link.command("SET", f"k{n}", "v") for n in range(3)]
    assert await within(asyncio.gather(*futures)) == [b"OK"] * 3
    assert [command[1] for command in b.commands] == [b"k0", b"k1", b"k2"]
    await within(link.command("GET", "k"))
    assert len(a.commands) == 3


async def test_moved_without_a_host_is_the_same_host(link: Link, cluster: Any) -> None:
    """As a node says that does not know its own name."""
    cluster.node("a:1").answers = lambda command: b"-MOVED 866 :7\r\n"
    await within(link.command("GET", "k"))
    assert len(cluster.node("a:7").commands) == 1


async def test_one_command_is_asked_elsewhere_while_a_slot_moves(link: Link, cluster: Any) -> None:
    """ASKING goes before it; the next command is tried at the old node again."""
    a, b = cluster.node("a:1"), cluster.node("b:2")
    a.answers = lambda command: b"-ASK 866 b:2\r\n" if command[1] == b"gone" else b"$1\r\n1\r\n"
    assert await within(link.command("GET", "gone")) == b"OK"
    assert b.commands == [[b"ASKING"], [b"GET", b"gone"]]
    assert await within(link.command("GET", "here")) == b"1"


async def test_a_read_without_a_future_is_asked_elsewhere_too(link: Link, cluster: Any) -> None:
    """The read of a reply stream waits for its answer in a callback."""
    heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    cluster.node("a:1").answers = lambda command: b"-ASK 866 b:2\r\n"
    link.send(Command(pack("XREAD"), again=True, then=heard.set_result))
    assert await within(heard) == b"OK"


@pytest.mark.parametrize("refusal", ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"])
async def test_what_passes_is_waited_out(link: Link, cluster: Any, refusal: str) -> None:
    """The command has not run: it is sent again on a new connection."""
    answers = [b"-%b wait a moment\r\n" % refusal.encode(), b"+OK\r\n"]
    cluster.node("a:1").answers = lambda command: answers.pop(0)
    assert await within(link.command("GET", "k")) == b"OK"


async def test_a_refusal_that_stays_is_an_error(link: Link, cluster: Any) -> None:
    """In Redis' own words."""
    cluster.node("a:1").answers = lambda command: b"-WRONGTYPE no string\r\n"
    with pytest.raises(Unavailable, match="a:1 refused: WRONGTYPE no string"):
        await link.command("GET", "k")


async def test_a_node_that_dies_after_a_move_is_found_again_from_the_first_address(link: Link, cluster: Any) -> None:
    """The cluster's first address knows the new owner after a fail-over."""
    a, b = cluster.node("a:1"), cluster.node("b:2")
    a.answers = lambda command: MOVED
    await within(link.command("GET", "k"))
    b.down, a.answers = True, lambda command: b"-MOVED 866 c:3\r\n"
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    b.drop()
    await asyncio.sleep(0)
    link.send(Command(pack("GET", "k"), future, again=True))
    assert await within(future) == b"OK"
    assert cluster.node("c:3").commands == [[b"GET", b"k"]]


async def test_what_may_be_sent_again_is_after_a_loss(link: Link, cluster: Any) -> None:
    """Whatever else was unanswered fails; what nobody waits for is not sent."""
    a, loop = cluster.node("a:1"), asyncio.get_running_loop()
    a.answers = lambda command: None
    kept, once, given_up = loop.create_future(), loop.create_future(), loop.create_future()
    link.send(Command(pack("SET", "kept"), kept, again=True))
    link.send(Command(pack("SET", "once"), once))
    link.send(Command(pack("SET", "given up"), given_up, again=True))
    await asyncio.sleep(0)
    given_up.cancel()
    a.answers = lambda command: b"+OK\r\n"
    a.commands.clear()
    a.drop()
    assert await within(kept) == b"OK"
    assert [command[1] for command in a.commands] == [b"kept"]
    with pytest.raises(Unavailable, match="was lost"):
        await once


async def test_keys_on_several_nodes_are_told(link: Link, cluster: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A namespace without braces has keys that send a link to and fro; it goes on, slowly, and says why."""
    sent = {b"x": b"-MOVED 1 b:2\r\n", b"y": b"-MOVED 2 a:1\r\n"}
    cluster.node("a:1").answers = lambda command: sent[b"x"] if command[1] == b"x" else b"+OK\r\n"
    cluster.node("b:2").answers = lambda command: sent[b"y"] if command[1] == b"y" else b"+OK\r\n"
    for _ in range(4):
        await within(link.command("GET", "x"))
        await within(link.command("GET", "y"))
    assert "write the namespace in braces" in caplog.text


async def test_closing_sends_what_is_left(cluster: Any) -> None:
    """And then nothing more."""
    link = Link(Address.parse("redis://a:1/0"))
    await link.open()
    link.send(Command(pack("SET", "late")))
    await link.close(Command(pack("UNLINK", "mine")))
    assert [command[0] for command in cluster.node("a:1").commands] == [b"SET", b"UNLINK", b"PING"]
    assert repr(link) == "<Link a:1 closed, 0 unsent>"


async def test_a_link_that_is_started_waits_for_its_redis(cluster: Any) -> None:
    """A worker starts without Redis too; what it asks meanwhile is answered then."""
    cluster.node("a:1").down = True
    link = Link(Address.parse("redis://a:1/0"))
    link.start()
    future = link.command("GET", "k", again=True)
    await asyncio.sleep(0)
    assert not link.is_open
    cluster.node("a:1").down = False
    assert await within(future) == b"OK"
    await link.close()
