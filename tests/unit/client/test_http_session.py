"""A client of a gateway before and after it is open."""

from __future__ import annotations

import pytest

from scurry.client import session
from scurry.client.client import Client
from scurry.client.http_session import HttpSession
from scurry.wire.errors import InvalidRequest, Unavailable


def test_a_client_that_is_not_open_says_how_to_open_it() -> None:
    """As over Redis."""
    client = Client("http://127.0.0.1:1")
    assert isinstance(client, HttpSession)
    with pytest.raises(RuntimeError, match="async with"):
        _ = client.link


def test_whatever_needs_redis_says_so() -> None:
    """With a code that tells it from a mistake."""
    with pytest.raises(InvalidRequest, match="redis:// URL") as caught:
        _ = Client("http://127.0.0.1:1").streams
    assert caught.value.code == "not_offered"


async def test_nobody_there_is_unavailable() -> None:
    """Already when it is opened; nothing is left open."""
    client = Client("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        await client.open()
    assert not await client.live()
    await client.close()


async def test_a_forked_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections are the parent's."""
    client = Client("http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await client.open()
    monkeypatch.setattr(session.forks, "count", session.forks.count + 1)
    with pytest.raises(RuntimeError, match="forked from it"):
        await client.ping()
