"""A stopwatch that tells reading, computing and writing apart.

Every thread has one of its own, so that whoever calls a model needs to hand nothing on: who begins a batch, who asks
the model, who splits what it gave each say where they are. It is read a few times for each call of a model, however
many requests that answers. Across an `await` a thread's own one may not be used: others compute there meanwhile.
"""

from __future__ import annotations

import threading
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

Result = TypeVar("Result")


class Laps:
    """Seconds of input, compute and output, and when the last of them ended."""

    __slots__ = ("at", "compute", "input", "output")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """From now on, from nothing."""
        self.input = self.compute = self.output = 0.0
        self.at = perf_counter()

    def asked(self) -> None:
        """The model is asked now: what it takes was made until then."""
        now = perf_counter()
        self.input += now - self.at
        self.at = now

    def answered(self) -> None:
        """The model has answered or failed."""
        now = perf_counter()
        self.compute += now - self.at
        self.at = now

    def written(self) -> float:
        """What the model gave is split and written; returns the clock."""
        now = perf_counter()
        self.output += now - self.at
        self.at = now
        return now

    async def around(self, asking: Awaitable[Result]) -> Result:
        """Wait for a model that is asked elsewhere."""
        self.asked()
        try:
            return await asking
        finally:
            self.answered()

    def add(self, more: Laps) -> None:
        """Add up with others."""
        self.input += more.input
        self.compute += more.compute
        self.output += more.output

    @property
    def total(self) -> float:
        """All of it, in seconds."""
        return self.input + self.compute + self.output

    def __repr__(self) -> str:
        return f"<Laps input {self.input:.6f} s, compute {self.compute:.6f} s, output {self.output:.6f} s>"


class _Own(threading.local):
    def __init__(self) -> None:
        self.laps = Laps()


_OWN = _Own()


def here() -> Laps:
    """This thread's."""
    return _OWN.laps
