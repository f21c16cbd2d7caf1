"""One stream tells all who wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.client import notices
from scurry.client.client import Client
from scurry.client.notices import Notices
from scurry.wire.errors import Unavailable

STREAM = "scurry:replies:!results"


def tell(redis: Any, request_id: str) -> None:
    """As the job does."""
    redis.reply({b"id": request_id.encode(), b"model": b"m", b"reply": STREAM.encode()}, {"status": "ok"})


async def test_only_who_watches_is_told(redis: Any) -> None:
    """Everybody who watches the id, as often as something comes; nobody of what came before."""
    tell(redis, "a")
    seen: list[str] = []

    def one() -> None:
        seen.append("one")

    async with Client() as client:
        made = Notices(client)
        await made.watch("a", one)
        await made.watch("a", lambda: seen.append("two"))
        await made.watch("b", lambda: seen.append("b"))
        await asyncio.sleep(0.01)
        assert seen == []
        tell(redis, "a")
        await asyncio.sleep(0.01)
        assert seen == ["one", "two"]
        made.unwatch("a", one)
        tell(redis, "a")
        tell(redis, "c")
        await asyncio.sleep(0.01)
        assert seen == ["one", "two", "two"]
        assert repr(made) == "<Notices reading, 2 ids watched>"
        await made.close()


async def test_it_reads_only_while_somebody_watches(redis: Any) -> None:
    """And begins at the stream's end again."""
    seen: list[str] = []
    async with Client() as client:
        made = Notices(client)
        await made.watch("a", told := lambda: seen.append("a"))
        made.unwatch("a", told)
        tell(redis, "a")
        await asyncio.sleep(0.01)
        assert repr(made) == "<Notices idle, 0 ids watched>"
        reads = sum(command[0] == b"XREAD" and STREAM.encode() in command for command in redis.commands)
        assert reads == 1
        tell(redis, "a")
        await made.watch("a", told)
        await asyncio.sleep(0.01)
        assert seen == []
        tell(redis, "a")
        await asyncio.sleep(0.01)
        assert seen == ["a"]
        await made.close()


async def test_old_notices_are_trimmed(redis: Any) -> None:
    """Not with every read."""
    async with Client() as client:
        made = Notices(client)
        await made.watch("a", lambda: None)
        for _ in range(3):
            tell(redis, "a")
            await asyncio.sleep(0.01)
        await made.close()
    assert sum(command[:2] == [b"XTRIM", STREAM.encode()] for command in redis.commands) == 1


async def test_a_redis_that_is_away_is_not_waited_for_for_ever(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who begins to watch then is told so; later it is tried anew."""
    monkeypatch.setattr(notices, "PATIENCE_S", 0.02)
    async with Client() as client:
        made = Notices(client)
        redis.down = True
        with pytest.raises(Unavailable):
            await made.watch("a", lambda: None)
        redis.down = False
        monkeypatch.setattr(notices, "PATIENCE_S", 5)
        await made.watch("a", lambda: None)
        assert "reading" in repr(made)
        await made.close()


async def test_who_only_sends_trims_too(redis: Any) -> None:
    """Half a minute of notices is kept by Redis' own clock."""
    async with Client() as client:
        made = Notices(client)
        made.trim(b"100000-3")
        made.trim(b"200000-0")
        await asyncio.sleep(0.01)
    trims = [command[1:] for command in redis.commands if command[0] == b"XTRIM"]
    assert trims == [[STREAM.encode(), b"MINID", b"~", b"70000"]]


async def test_who_gave_up_leaves_nobody_deaf(redis: Any) -> None:
    """The next one to watch is told, though the reading was begun for another, who went before it had."""
    seen: list[str] = []
    async with Client() as client:
        made = Notices(client)
        left = asyncio.create_task(made.watch("a", told := lambda: None))
        await asyncio.sleep(0)
        left.cancel()
        made.unwatch("a", told)
        await asyncio.sleep(0.01)
        assert repr(made) == "<Notices idle, 0 ids watched>"
        await made.watch("b", lambda: seen.append("b"))
        tell(redis, "b")
        await asyncio.sleep(0.01)
        assert seen == ["b"]
        await made.close()
