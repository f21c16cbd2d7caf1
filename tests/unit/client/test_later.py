"""Requests for later in two keys and one write. What comes of them: tests/unit/gateway/test_results.py."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scurry.client.client import Client
from scurry.client.later import Later, LaterRequest
from scurry.wire.errors import Unavailable


def test_what_was_not_said_is_not_sent() -> None:
    """The deadline is counted from now."""
    bare = LaterRequest("i", "m", b"body", timeout_s=60).fields(120, "stream")
    names = [str(name) for name in bare[::2]]
    assert names == ["model", "request", "deadline", "keep", "id", "reply"]
    whole = LaterRequest("i", "m", b"body", (), "2", "sticky", "00-1", 3, "acme").fields(120, "stream")
    fields = dict(zip(whole[::2], whole[1::2], strict=True))
    assert (fields["version"], fields["key"], fields["priority"], fields["tenant"]) == ("2", "sticky", "3", "acme")
    assert 0 < float(dict(zip(bare[::2], bare[1::2], strict=True))["deadline"]) / 1000 - time.time() <= 60


async def test_payloads_come_before_the_request(redis: Any) -> None:
    """And the note as well: whoever is answered can be found."""
    async with Client() as client:
        await Later(client).send(LaterRequest("i", "m", b"b", [("scurry:payload:i:in:x", b"data")]), 60, b"note")
    words = [command[0] for command in redis.commands if command[0] in (b"SET", b"XADD")]
    assert words == [b"SET", b"SET", b"XADD"]
    assert redis.strings[b"scurry:payload:i:in:x"] == b"data"
    assert redis.strings[b"scurry:asked:i"] == b"note"


async def test_the_first_claim_stands(redis: Any) -> None:
    """The second learns whose it is, and what there is."""
    async with Client() as client:
        later = Later(client)
        assert (await later.claim("i", b"mine", 60)) == (b"mine", True, None)
        redis.hashes[b"scurry:result:i"] = [b"status", b"ok"]
        assert (await later.claim("i", b"yours", 60)) == (b"mine", False, {b"status": b"ok"})
        assert await later.look("i") == (b"mine", {b"status": b"ok"})
        await later.unclaim("i")
        assert await later.look("i") == (None, {b"status": b"ok"})


async def test_only_what_is_its_own_is_forgotten(redis: Any) -> None:
    """A key that a reply names may be anybody's."""
    redis.strings |= {b"scurry:payload:i:out:1f:y": b"1", b"scurry:payload:j:out:1f:y": b"1", b"scurry:asked:i": b"n"}
    async with Client() as client:
        await Later(client).forget("i", ["scurry:payload:i:out:1f:y", "scurry:payload:j:out:1f:y"], note=False)
    assert redis.strings.keys() >= {b"scurry:payload:j:out:1f:y", b"scurry:asked:i"}
    assert b"scurry:payload:i:out:1f:y" not in redis.strings


async def test_all_have_one_secret(redis: Any) -> None:
    """The first makes it."""
    async with Client() as one, Client() as two:
        first = Later(one)
        assert len(await first.secret()) == 32
        assert await first.secret() == await Later(two).secret() == redis.strings[b"scurry:idempotency"]


async def test_a_refused_request_is_told(redis: Any) -> None:
    """Nobody is told that it is under way."""
    async with Client() as client:
        redis.refuse = b"OOM command not allowed"
        with pytest.raises(Unavailable, match="OOM"):
            await Later(client).send(LaterRequest("i", "m", b"b"), 60, b"note")
