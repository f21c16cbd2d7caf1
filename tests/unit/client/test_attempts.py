"""Asking again what was refused."""

from __future__ import annotations

import asyncio

import pytest

from scurry.client import attempts
from scurry.client.attempts import FIRST_S, LONGEST_S, pause, persist
from scurry.wire.errors import ScurryError, error


class Asked:
    """Fails with these, one after another, then answers; notes how much time was left each time."""

    def __init__(self, *codes: str, retry_after: float = 0.0) -> None:
        self.codes, self.retry_after = list(codes), retry_after
        self.left: list[float] = []

    async def __call__(self, left: float) -> str:
        self.left.append(left)
        if self.codes:
            failure = error(self.codes.pop(0), "No.")
            failure.retry_after = self.retry_after
            raise failure
        return "answer"


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it slept; chance gives the whole share, and nobody waits."""
    times: list[float] = []

    async def sleep(seconds: float) -> None:
        times.append(seconds)

    monkeypatch.setattr(attempts.random, "random", lambda: 1.0)
    monkeypatch.setattr(attempts.asyncio, "sleep", sleep)
    return times


@pytest.mark.parametrize("code", ["overloaded", "unavailable", "model_not_ready", "rate_limited"])
async def test_a_refusal_is_asked_again(code: str, slept: list[float]) -> None:
    """With pauses that double; each try is told what is left."""
    asked = Asked(code, code)
    assert await persist(asked, retries=2, timeout=9) == "answer"
    assert slept == [FIRST_S, 2 * FIRST_S]
    assert asked.left[0] == 9
    assert asked.left[0] > asked.left[1] > asked.left[2] > 8


@pytest.mark.parametrize("code", ["model_failed", "input_shape", "model_not_found", "deadline_exceeded", "worker_lost"])
async def test_anything_else_is_final(code: str) -> None:
    """It ran, or will fail again."""
    asked = Asked(code)
    with pytest.raises(ScurryError) as caught:
        await persist(asked, retries=5, timeout=9)
    assert caught.value.code == code
    assert len(asked.left) == 1


async def test_the_last_refusal_is_raised() -> None:
    """After so many retries."""
    asked = Asked(*["overloaded"] * 9)
    with pytest.raises(ScurryError, match="overloaded"):
        await persist(asked, retries=3, timeout=99)
    assert len(asked.left) == 4


async def test_nobody_waits_past_the_end(slept: list[float]) -> None:
    """A server that wants to be left alone for longer has the last word."""
    asked = Asked("overloaded", retry_after=10)
    with pytest.raises(ScurryError, match="overloaded"):
        await persist(asked, retries=3, timeout=5)
    assert (slept, len(asked.left)) == ([], 1)


def test_pauses_are_bounded_and_never_shorter_than_asked_for() -> None:
    """Whatever the number of tries."""
    assert pause(1, 0, 0.5) == FIRST_S / 2
    assert pause(10_000, 0, 1) == LONGEST_S
    assert [pause(tries, 2.0, 0.0) for tries in (1, 9)] == [2.0, 2.0]


async def test_cancelling_ends_it() -> None:
    """Between tries as well: a cancellation is no failure to retry."""

    async def ask(_: float) -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await persist(ask, retries=9, timeout=9)
