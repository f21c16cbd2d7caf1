"""Where a model computes: event loop, thread or child process.

0. A model that is open in a process of its own is asked from a thread, always the same.
1. A request that lost its worker, or a model that hung here before, computes in a child process: its end harms nobody.
2. A runtime that may hold the interpreter would stop the loop from any thread: what it computes longer than a turn
   of the loop goes to a child process as well.
3. What is quick beyond doubt runs in the event loop: a thread would cost more than the model. Beyond doubt is a model
   that has shown its time, and whose time does not depend on what it is sent.
4. All else runs in a thread.

Pure.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import Final

INLINE_SECONDS: Final = 0.001
"""What is expected to take no longer than this may run in the event loop."""
TURN_SECONDS: Final = 0.002
"""How long the event loop may be kept at a stretch."""
OUTLIER_SECONDS: Final = 0.01
"""A single run that takes longer than this by its own doing counts as what a run takes."""
NOISE_SECONDS: Final = 0.1
"""A thread on busy cores may stand still for so long, waiting for a core or for the interpreter."""
RECENT: Final = 4
"""Of so many runs the shortest tells what a run takes: the longer ones had to wait for something."""
SMOOTHING: Final = 0.2
HANG_SECONDS: Final = 60.0
HANG_RUNS: Final = 100
"""A run that takes longer than so many of its kind, and than the above, does not come back."""


class Where(Enum):
    """What a model call runs in."""

    LOOP = auto()
    THREAD = auto()
    CHILD = auto()


def place(
    seconds: float, *, solo: bool, suspect: bool, steady: bool, holds_interpreter: bool, isolated: bool = False
) -> Where:
    """Where to run what is expected to take so many seconds."""
    if isolated:
        return Where.THREAD
    if solo or suspect:
        return Where.CHILD
    if holds_interpreter:
        return Where.CHILD if seconds > TURN_SECONDS else Where.THREAD
    return Where.LOOP if steady and seconds <= INLINE_SECONDS else Where.THREAD


def expected(seconds: float, rows: int, max_batch_size: int) -> float:
    """Seconds that so many rows will about take, at `seconds` a model call."""
    return seconds if rows <= max_batch_size else seconds * -(-rows // max_batch_size)


class Pace:
    """How long a run of one model takes, so far as that is its own doing.

    A model that is taken to be slow runs in a thread, where it waits for the interpreter; were that counted, it would
    be slow for ever. So a mean moves with the shortest of the last runs. But an outlier counts at once: one that kept
    a core busy, or that took longer than anybody waits for a core.
    """

    __slots__ = ("_recent", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._recent: deque[float] = deque(maxlen=RECENT)

    def note(self, seconds: float, cpu_seconds: float) -> None:
        """One more run, by the clock and by what its thread computed."""
        self._recent.append(seconds)
        if seconds > OUTLIER_SECONDS and max(cpu_seconds, seconds - NOISE_SECONDS) > max(OUTLIER_SECONDS, self.seconds):
            self.seconds = seconds
        else:
            self.seconds += SMOOTHING * (min(self._recent) - self.seconds)

    def __repr__(self) -> str:
        return f"<Pace {self.seconds * 1000:.2f} ms>"


def limit(seconds: float) -> float:
    """How long a run may take before it is given up, for a model whose runs take so many seconds."""
    return max(HANG_SECONDS, HANG_RUNS * seconds)
