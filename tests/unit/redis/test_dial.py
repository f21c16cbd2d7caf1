"""Connecting: once, or until it is there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.redis import dial as module
from scurry.redis.address import Address
from scurry.redis.dial import Dial
from scurry.redis.refusal import Refusal


@pytest.fixture
def dial(cluster: Any) -> Dial:
    """Told of `a:1` at first."""
    return Dial(Address.parse("redis://a:1/0"), lambda *_: None, RuntimeError, lambda *_: False)


async def test_once_says_what_is_wrong(dial: Dial, cluster: Any) -> None:
    """The caller decides what comes of it."""
    cluster.node("a:1").down = True
    with pytest.raises(ConnectionRefusedError):
        await dial.once()


async def test_the_first_address_and_the_last_node_are_tried_by_turns(dial: Dial, cluster: Any) -> None:
    """Whichever comes back first."""
    assert dial.follow(Refusal.parse("MOVED 1 b:2")) == 0.0
    assert repr(dial) == "<Dial b:2>"
    cluster.node("b:2").down = True
    assert (await asyncio.wait_for(dial.patiently(0.0), 5)).open
    assert repr(dial) == "<Dial a:1>"


async def test_what_passes_is_waited_for_at_the_first_address(
    dial: Dial, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that loads, or lost its master, is given a pause."""
    monkeypatch.setattr(module, "PAUSE_S", 0.3)
    dial.follow(Refusal.parse("MOVED 1 b:2"))
    assert dial.follow(Refusal.parse("LOADING dataset")) == 0.3
    assert repr(dial) == "<Dial a:1>"
