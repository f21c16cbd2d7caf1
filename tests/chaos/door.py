"""Redis as the harness uses it: one lock around what is sent, and marks that show what Redis lost."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import redis

MARK = "chaos:mark"
MARK_S = 0.02
BROKEN = (redis.ConnectionError, redis.TimeoutError, OSError)
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one entry: its id, the refusal of Redis, or neither when the connection broke."""

    entry: str = ""
    refusal: str = ""


def connect(url: str, timeout: float | None = TIMEOUT_S) -> redis.Redis:
    """A connection that does not try again by itself: what it does not say, we do not know."""
    return redis.Redis.from_url(
        url, protocol=2, socket_timeout=timeout, socket_connect_timeout=TIMEOUT_S, retry=None, retry_on_error=[]
    )


class Door:
    """Writes entries; can be held shut while Redis is away, so that what it lost can be told exactly."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self.shut = threading.Lock()

    def write(self, entries: Sequence[tuple[str, Mapping[str, str | bytes]]]) -> list[Written]:
        """Append entries to streams in one go."""
        with self.shut:
            pile = self._redis.pipeline(transaction=False)
            for stream, fields in entries:
                pile.execute_command("XADD", stream, "*", *(word for pair in fields.items() for word in pair))
            try:
                answers = pile.execute(raise_on_error=False)
            except BROKEN:
                self._redis.connection_pool.disconnect()
                return [Written()] * len(entries)
        return [outcome(answer) for answer in answers]

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is written meanwhile."""
        with self.shut:
            self._redis.connection_pool.disconnect()
            yield


def outcome(answer: object) -> Written:
    """One answer of Redis to XADD."""
    if isinstance(answer, bytes):
        return Written(entry=answer.decode())
    if isinstance(answer, redis.ResponseError):
        return Written(refusal=str(answer))
    return Written()


class Marks(threading.Thread):
    """Writes a number again and again: the one that Redis holds after a crash tells up to when it kept everything."""

    def __init__(self, url: str, door: Door) -> None:
        super().__init__(daemon=True, name="marks")
        self._redis = connect(url, 1.0)
        self._door = door
        self._stopping = threading.Event()
        self._times: deque[tuple[int, float]] = deque(maxlen=int(120 / MARK_S))
        self._number = 0

    def run(self) -> None:
        """Mark until told to stop."""
        while not self._stopping.wait(MARK_S):
            with contextlib.suppress(redis.RedisError, OSError), self._door.shut:
                self._redis.set(MARK, self._number + 1)
                self._number += 1
                self._times.append((self._number, time.monotonic()))

    def kept_until(self, link: redis.Redis) -> float | None:
        """Up to when Redis has all that it acknowledged; None when it lost nothing."""
        kept = int(link.get(MARK) or 0)
        after = [at for number, at in self._times if number > kept]
        return after[0] - MARK_S if after else None

    def stop(self) -> None:
        """Mark no more."""
        self._stopping.set()
        self.join()
