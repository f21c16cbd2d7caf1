"""Futures under request ids."""

import asyncio

import pytest

from scurry.client.waiting import Waiting


class Clock:
    """A loop's clock and alarms, moved by the test."""

    def __init__(self):
        self.now, self.alarms = 0.0, []

    def time(self):
        return self.now

    def create_future(self):
        return asyncio.get_running_loop().create_future()

    def call_at(self, when, callback):
        alarm = Alarm(when, callback)
        self.alarms.append(alarm)
        return alarm

    def advance(self, to):
        self.now = to
        for alarm in [alarm for alarm in self.alarms if alarm.when <= to and not alarm.cancelled]:
            self.alarms.remove(alarm)
            alarm.callback()


class Alarm:
    def __init__(self, when, callback):
        self.when, self.callback, self.cancelled = when, callback, False

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def clock():
    """A clock at 0."""
    return Clock()


@pytest.fixture
def waiting(clock):
    """Nobody waits yet."""
    return Waiting(clock, TimeoutError)


async def test_a_reply_resolves_the_future_of_its_id(waiting):
    """Others go on waiting."""
    first, second = waiting.add("a", 1).future, waiting.add("b", 1).future
    waiting.resolve({b"id": b"a", b"reply": b"1"})
    assert first.result()[b"reply"] == b"1"
    assert not second.done()
    assert len(waiting) == 1


async def test_a_reply_for_nobody_is_dropped(waiting):
    """It may be one from before a restart."""
    waiting.resolve({b"id": b"x"})
    waiting.resolve({})


async def test_a_future_fails_when_its_time_is_over(waiting, clock):
    """Each at its own time, in whatever order they were added."""
    late, soon = waiting.add("late", 10).future, waiting.add("soon", 1).future
    clock.advance(1.0)
    assert isinstance(soon.exception(), TimeoutError)
    assert not late.done()
    clock.advance(10.0)
    assert isinstance(late.exception(), TimeoutError)
    assert len(waiting) == 0


async def test_a_second_caller_of_an_id_joins_the_first(waiting):
    """Both get the same answer, or the same failure."""
    first = waiting.add("a", 1).future
    second = waiting.join("a", 1)
    waiting.resolve({b"id": b"a", b"reply": b"1"})
    assert second.result() == first.result()
    assert waiting.join("a", 1) is None


async def test_a_cancelled_caller_does_not_cancel_the_others(waiting):
    """Neither the first nor one who joined; while one waits, the request is wanted."""
    callers = waiting.add("a", 9)
    second, third = waiting.join("a", 9), waiting.join("a", 9)
    callers.future.cancel()
    third.cancel()
    assert not callers.done()
    waiting.resolve({b"id": b"a", b"reply": b"1"})
    assert second.result()[b"reply"] == b"1"


async def test_each_caller_of_an_id_has_a_time_of_its_own(waiting, clock):
    """Whoever came first may wait the longest, or the shortest."""
    first = waiting.add("a", 5).future
    short, long = waiting.join("a", 1), waiting.join("a", 9)
    clock.advance(1.0)
    assert isinstance(short.exception(), TimeoutError)
    assert not first.done()
    clock.advance(5.0)
    assert isinstance(first.exception(), TimeoutError)
    waiting.resolve({b"id": b"a", b"reply": b"1"})
    assert long.result()[b"reply"] == b"1"
    assert len(waiting) == 0


async def test_a_cancelled_caller_is_forgotten(waiting, clock):
    """Its reply disturbs nobody, and the id can be asked anew."""
    waiting.add("a", 1).future.cancel()
    assert waiting.join("a", 1) is None
    clock.advance(1.0)
    assert len(waiting) == 0
    waiting.resolve({b"id": b"a"})


async def test_all_fail_at_the_end(waiting):
    """Closing tells everybody why."""
    future = waiting.add("a", 1).future
    waiting.fail(ValueError)
    assert str(future.exception()) == "a"
