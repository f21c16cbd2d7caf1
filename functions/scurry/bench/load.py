"""Requests sent in a closed or open loop, and how long each took."""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from scurry.bench.requests import ID_BYTES

TICK_S: Final = 0.001
"""How often an open loop looks for requests that are due; also the beat against which lag is measured."""

Answer = tuple[bytes, str]
"""Request id and error code; an empty code is an answer."""


class Door(Protocol):
    """A way into the system under load."""

    def send(self, request_id: bytes, subject: int) -> None:
        """Queue one request for the subject of that number."""
        ...

    def flush(self) -> None:
        """Write what is queued."""
        ...


@dataclass(slots=True)
class Tally:
    """What was measured."""

    latencies: array[float] = field(default_factory=lambda: array("d"))  # seconds, of good answers in the window
    late: array[float] = field(default_factory=lambda: array("d"))  # seconds between due and sent, or of a late beat
    errors: Counter[str] = field(default_factory=Counter)
    strays: int = 0  # answers to nobody: repeated or unknown ids
    answered: int = 0  # good answers that came within the window, whenever they were sent
    lost: int = 0  # never answered
    seconds: float = 0.0
    cpu: float = 0.0  # seconds of CPU of this process within the window
    started: float = 0.0  # epoch seconds at which the window opened


class Load:
    """Keeps a door busy. `callers` ask again as soon as they are answered; or requests fall due at fixed times."""

    def __init__(self, door: Door, choices: Sequence[int], run: int, *, callers: int = 0, rate: float = 0.0) -> None:
        self.tally = Tally()
        self._door, self._choices, self._callers, self._rate = door, choices, callers, rate
        self._prefix = b"%012x-" % (run & 0xFFFFFFFFFFFF)
        self._sequence = 0
        self._waiting: dict[bytes, float] = {}
        self._since = self._until = math.inf
        self._running = False

    def __repr__(self) -> str:
        shape = f"{self._rate:g}/s" if self._rate else f"{self._callers} callers"
        return f"<Load {shape}, {self._sequence} sent, {len(self._waiting)} waiting>"

    @property
    def is_open(self) -> bool:
        """Whether requests are sent at fixed times, however slow the answers."""
        return self._rate > 0

    def send(self, when: float) -> None:
        """Queue the next request; its latency counts from `when`."""
        self._sequence += 1
        request_id = b"%b%011x" % (self._prefix, self._sequence)
        self._waiting[request_id] = when
        self._door.send(request_id, self._choices[self._sequence % len(self._choices)])

    def answers(self, pile: Iterable[Answer]) -> None:
        """Note answers as they come in; in a closed loop each lets its caller ask again."""
        now, tally, waiting, is_open = time.perf_counter(), self.tally, self._waiting, self.is_open
        in_window = self._since <= now < self._until
        for request_id, error in pile:
            when = waiting.pop(request_id, None)
            if when is None:
                tally.strays += 1
                continue
            if error:
                tally.errors[error] += 1
            else:
                tally.answered += in_window
                if (self._since <= when < self._until) if is_open else in_window:
                    tally.latencies.append(now - when)
            if self._running and not is_open:
                self.send(now)
        self._door.flush()

    async def run(self, warm_up: float, seconds: float, grace: float = 10.0) -> Tally:
        """Send for warm_up + seconds, count the latter, wait at most `grace` for what is still out."""
        start = time.perf_counter()
        self._since, self._until = start + warm_up, start + warm_up + seconds
        self._running = True
        if self.is_open:
            await self._keep_schedule(start)
        else:
            await self._keep_callers()
        self._running = False
        end = time.monotonic() + grace
        while self._waiting and time.monotonic() < end:  # noqa: ASYNC110 - an event would be set per answer
            await asyncio.sleep(0.01)
        self.tally.lost = len(self._waiting)
        return self.tally

    async def _keep_callers(self) -> None:
        now = time.perf_counter()
        for _ in range(self._callers):
            self.send(now)
        self._door.flush()
        loop, beat, cpu = asyncio.get_running_loop(), TICK_S * 5, 0.0
        while (now := time.perf_counter()) < self._until:
            if not cpu and now >= self._since:
                cpu = time.process_time()
            due = loop.time() + beat
            await asyncio.sleep(beat)
            if cpu:
                self.tally.late.append(loop.time() - due)
        self._close_window(cpu, now)

    async def _keep_schedule(self, start: float) -> None:
        seconds = self._until - start
        gaps = np.random.default_rng(self._sequence).exponential(1 / self._rate, int(self._rate * seconds * 1.2) + 100)
        due: list[float] = (start + np.cumsum(gaps)).tolist()
        at, cpu = 0, 0.0
        while (now := time.perf_counter()) < self._until:
            if not cpu and now >= self._since:
                cpu = time.process_time()
            while at < len(due) and due[at] <= now:
                self.send(due[at])
                if cpu:
                    self.tally.late.append(now - due[at])
                at += 1
            self._door.flush()
            await asyncio.sleep(TICK_S)
        self._close_window(cpu, now)

    def _close_window(self, cpu: float, now: float) -> None:
        self.tally.seconds = now - self._since
        self.tally.started = time.time() - self.tally.seconds
        self.tally.cpu = time.process_time() - cpu


assert len(b"%012x-%011x" % (0, 0)) == ID_BYTES
