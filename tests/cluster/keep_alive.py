"""An open loop of HTTP requests over connections that are kept, every answer looked at."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from typing import Any, Final

import aiohttp

CONNECTIONS: Final = 16
ANSWER_S: Final = 150.0


class KeepAlive(threading.Thread):
    """Asks a model that doubles, `rate` times a second, until told to stop; each failure is kept with its second."""

    def __init__(self, url: str, model: str, rate: float) -> None:
        super().__init__(daemon=True, name="keep-alive")
        self._url, self._rate = f"{url}/v2/models/{model}/infer", rate
        self._stopping = threading.Event()
        self._begun = time.monotonic()
        self.sent = self.answered = 0
        self.slowest_s, self.outcomes = 0.0, Counter[str]()
        self.failures: list[str] = []

    def run(self) -> None:
        """Ask."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        kept, patience = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=120), aiohttp.ClientTimeout(ANSWER_S)
        async with aiohttp.ClientSession(connector=kept, timeout=patience) as session, asyncio.TaskGroup() as group:
            due = time.monotonic()
            while not self._stopping.is_set():
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due += 1 / self._rate
                self.sent += 1
                group.create_task(self._ask(session, self.sent))

    async def _ask(self, session: aiohttp.ClientSession, number: int) -> None:
        begun = time.monotonic()
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [float(number % 4096)]}
        try:
            async with session.post(self._url, json={"id": f"k{number}", "inputs": [tensor]}) as response:
                outcome = judged(number, response.status, await response.json(content_type=None))
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as cause:
            outcome = type(cause).__name__
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        self.outcomes[outcome] += 1
        if outcome == "ok":
            self.answered += 1
        else:
            self.failures.append(f"{time.monotonic() - self._begun:.1f} s: {outcome}")

    @property
    def waiting(self) -> int:
        """Requests that are not answered yet."""
        return self.sent - sum(self.outcomes.values())

    def lap(self) -> tuple[float, list[str]]:
        """The slowest answer and the failures since the last lap."""
        slowest, self.slowest_s = self.slowest_s, 0.0
        failures, self.failures = self.failures, []
        return slowest, failures

    def stop(self) -> None:
        """Ask no more, and wait for what is open."""
        self._stopping.set()
        self.join()


def judged(number: int, status: int, told: Any) -> str:
    """`ok`, or what is wrong with an answer."""
    if status != 200:
        return f"status {status} {told.get('code', '')}"
    if told["id"] != f"k{number}":
        return f"the answer of another: {told['id']}"
    return "ok" if told["outputs"][0]["data"] == [2.0 * (number % 4096)] else f"wrong value {told['outputs'][0]}"
