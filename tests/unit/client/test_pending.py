"""One request on its way."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from scurry.client.pending import Pending
from scurry.wire.errors import Failed, Unavailable


class Way:
    """An answer that comes when it is let; what was forgotten."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.asked = 0
        self.forgotten: list[str] = []

    async def answer(self) -> Any:
        self.asked += 1
        return await self.future

    async def forget(self, id: str) -> None:  # noqa: A002
        self.forgotten.append(id)

    def pending(self, *, lazy: bool = False) -> Pending:
        return Pending("r", "m", self.answer, self.forget, lazy=lazy)


async def test_it_is_awaited_once_or_often() -> None:
    """The answer is asked for once."""
    way = Way()
    pending = way.pending()
    assert repr(pending) == "<Pending r to m, waiting>"
    way.future.set_result({"y": np.float32([1])})
    assert (await pending)["y"] == [1]
    assert (await pending.result(timeout=1))["y"] == [1]
    assert (pending.done(), way.asked) == (True, 1)
    assert repr(pending) == "<Pending r to m, done>"


async def test_who_gives_up_may_ask_again() -> None:
    """A time-out of the caller's does not end the request."""
    way = Way()
    pending = way.pending()
    with pytest.raises(Unavailable, match="r came within") as late:
        await pending.result(timeout=0.01)
    assert late.value.code == "deadline_exceeded"
    way.future.set_result({})
    assert await pending == {}


async def test_a_failure_is_raised_each_time() -> None:
    """And is no complaint of the loop's when nobody asks."""
    way = Way()
    pending = way.pending()
    way.future.set_exception(Failed("model_failed", "No."))
    for _ in range(2):
        with pytest.raises(Failed):
            await pending


async def test_lazily_nothing_is_waited_for_before_it_is_wanted() -> None:
    """Thousands of handles take no connection."""
    way = Way()
    pending = way.pending(lazy=True)
    await asyncio.sleep(0)
    assert (way.asked, pending.done()) == (0, False)
    assert repr(pending) == "<Pending r to m, not awaited>"
    way.future.set_result({})
    assert await pending == {}


@pytest.mark.parametrize("lazy", [False, True])
async def test_cancelling_forgets_the_answer(*, lazy: bool) -> None:
    """And whoever awaits it then is cancelled."""
    way = Way()
    pending = way.pending(lazy=lazy)
    await asyncio.sleep(0)
    await pending.cancel()
    assert way.forgotten == ["r"]
    with pytest.raises(asyncio.CancelledError):
        await pending
