"""Closed and open loop against a door that answers itself."""

from __future__ import annotations

import asyncio
import math

from scurry.bench.load import Answer, Load


class Echo:
    """A door that remembers what was sent until it is told to answer."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, int]] = []
        self.flushed = 0

    def send(self, request_id: bytes, subject: int) -> None:
        self.sent.append((request_id, subject))

    def flush(self) -> None:
        self.flushed += 1

    def take(self) -> list[Answer]:
        """Good answers to everything sent so far."""
        pile = [(request_id, "") for request_id, _ in self.sent]
        self.sent.clear()
        return pile


def opened(load: Load, since: float = -math.inf, until: float = math.inf) -> Load:
    """A load in the middle of its run."""
    load._since, load._until, load._running = since, until, True
    return load


def test_caller_asks_again_when_answered() -> None:
    """In a closed loop each answer is followed by one request, and the pile is written at once."""
    door = Echo()
    load = opened(Load(door, [0, 1, 2], run=7, callers=3))
    for _ in range(3):
        load.send(0.0)
    load.answers(door.take())
    assert len(door.sent) == 3
    assert door.flushed == 1
    assert load.tally.answered == len(load.tally.latencies) == 3


def test_ids_are_told_apart() -> None:
    """An id answered twice, or never sent, is a stray and nobody asks again for it."""
    door = Echo()
    load = opened(Load(door, [0], run=1, callers=1))
    load.send(0.0)
    pile = door.take()
    load.answers(pile)
    load.answers([*pile, (b"never sent", "")])
    assert load.tally.strays == 2
    assert len(door.sent) == 1


def test_errors_are_counted_by_code() -> None:
    """A refused request has no latency, and its caller goes on."""
    door = Echo()
    load = opened(Load(door, [0], run=1, callers=1))
    load.send(0.0)
    load.answers([(door.sent[0][0], "overloaded")])
    assert (dict(load.tally.errors), len(load.tally.latencies), len(door.sent)) == ({"overloaded": 1}, 0, 2)


def test_open_loop_counts_from_the_due_time() -> None:
    """In an open loop latency counts from when the request was due, and an answer sends nothing."""
    door = Echo()
    load = opened(Load(door, [0], run=1, rate=100), since=5.0)
    load.send(2.0)
    load.send(6.0)
    load.answers(door.take())
    assert len(load.tally.latencies) == 1, "what was due before the window is not measured"
    assert not door.sent


async def test_closed_loop_runs_to_its_end() -> None:
    """A run answers everything it sent, within the window and after it."""
    door = Echo()
    load = Load(door, [0], run=1, callers=4)

    async def answer() -> None:
        while True:
            await asyncio.sleep(0)
            load.answers(door.take())

    answering = asyncio.create_task(answer())
    tally = await load.run(0.01, 0.03)
    answering.cancel()
    assert (tally.lost, tally.strays) == (0, 0)
    assert tally.answered == len(tally.latencies) > 0


async def test_lost_requests_are_reported() -> None:
    """What is never answered is lost, not forgotten."""
    tally = await Load(Echo(), [0], run=1, rate=2000).run(0.0, 0.03, grace=0.01)
    assert tally.lost > 0
    assert len(tally.late) > 0
