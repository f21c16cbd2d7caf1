"""Many requests, so many in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest

from scurry.client.streaming import Flight, StreamReply, check_in_flight
from scurry.wire.errors import Failed, InvalidRequest


class Model:
    """Doubles numbers; how many at a time is noted, and odd ones may be made to fail or wait."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.gates: dict[int, asyncio.Event] = {}
        self.bad: set[int] = set()
        self.cancelled = 0

    async def ask(self, number: int) -> Any:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await (self.gates[number].wait() if number in self.gates else asyncio.sleep(0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.now -= 1
        if number in self.bad:
            raise Failed("model_failed", f"{number} is bad.")
        return {"y": np.int64(2 * number)}

    def flight(self, in_flight: int, *, ordered: bool = True) -> Flight[int]:
        return Flight(self.ask, in_flight=in_flight, ordered=ordered)


async def test_answers_come_in_the_order_of_the_inputs() -> None:
    """However slow the first is."""
    model = Model()
    gate = model.gates[0] = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, gate.set)
    replies = [reply async for reply in model.flight(5).replies(range(20))]
    assert [reply.outputs["y"] for reply in replies] == [2 * n for n in range(20)]
    assert [reply.index for reply in replies] == list(range(20))
    assert model.most == 5


async def test_or_as_they_come() -> None:
    """A slow one holds up nobody."""
    model = Model()
    gate = model.gates[0] = asyncio.Event()
    seen = []
    async for reply in model.flight(5, ordered=False).replies(range(20)):
        seen.append(reply.index)
        if len(seen) == 19:
            gate.set()
    assert seen[-1] == 0
    assert sorted(seen) == list(range(20))


@pytest.mark.parametrize("ordered", [True, False])
async def test_no_more_are_taken_than_there_is_room_for(*, ordered: bool) -> None:
    """Who does not take answers is asked for no inputs."""
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    replies = Model().flight(4, ordered=ordered).replies(source())
    await anext(replies)
    await asyncio.sleep(0.02)
    assert len(taken) == 4
    await replies.aclose()


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_failure_is_the_answer_to_its_own_input(*, ordered: bool) -> None:
    """The others are answered."""
    model = Model()
    model.bad = {3}
    replies = {reply.index: reply async for reply in model.flight(2, ordered=ordered).replies(range(6))}
    assert [index for index, reply in replies.items() if reply.error] == [3]
    with pytest.raises(Failed, match="3 is bad"):
        _ = replies[3].outputs
    assert replies[5].outputs["y"] == 10


async def test_answers_come_while_the_source_waits() -> None:
    """An input that is not there yet holds up no answer."""
    more = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        await more.wait()
        yield 2

    replies = Model().flight(8).replies(source())
    assert (await asyncio.wait_for(anext(replies), 5)).outputs["y"] == 2
    more.set()
    assert [reply.outputs["y"] async for reply in replies] == [4]


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_source_that_fails_ends_the_stream_with_its_error(*, ordered: bool) -> None:
    """After the answers to what it gave."""

    def source() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="disk"):
        async for reply in Model().flight(8, ordered=ordered).replies(source()):
            seen.append(reply.index)  # noqa: PERF401 - it fails on the way
    assert seen == [0]


@pytest.mark.parametrize("ordered", [True, False])
async def test_who_stops_early_cancels_what_is_in_flight(*, ordered: bool) -> None:
    """Nothing goes on behind his back."""
    model = Model()
    model.gates = {n: asyncio.Event() for n in (1, 2, 3)}
    replies = model.flight(4, ordered=ordered).replies(range(9))
    assert (await anext(replies)).index == 0
    await replies.aclose()
    assert (model.now, model.cancelled) == (0, 3)


async def test_nothing_in_is_nothing_out() -> None:
    """An empty source ends at once."""
    assert [reply async for reply in Model().flight(1).replies([])] == []


def test_in_flight_is_at_least_one() -> None:
    """Zero would wait for ever."""
    check_in_flight(1)
    with pytest.raises(InvalidRequest, match="in_flight must be a whole number from 1, not 0"):
        check_in_flight(0)


def test_a_reply_is_outputs_or_an_error() -> None:
    """Never both."""
    assert StreamReply(0, {}).error is None
    assert StreamReply(0, {}).outputs == {}
