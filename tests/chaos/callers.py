"""Callers that wait: through the Python client and through the gateway, few beside the load, each one at a time."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import numpy as np
from tests.chaos.checker import Checker
from tests.chaos.claims import Question, Rows, Seen
from tests.chaos.mix import LARGEST, Numbers, Subject, body, body_json
from tests.chaos.models import WIDTH

from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferReply, InferRequest

TIMEOUT_S = 20.0
HUNG_S = 40.0
"""A caller that was told nothing for twice its time-out hangs."""
PAUSE_S = 0.25

Ask = Callable[[Question], Awaitable[Seen | None]]


class Callers(threading.Thread):
    """So many callers at each door; None from a door is an outcome nobody can know."""

    def __init__(
        self, urls: tuple[str, str], checker: Checker, numbers: Numbers, subjects: Sequence[Subject], count: int
    ) -> None:
        super().__init__(daemon=True, name="callers")
        (self._redis_url, self._http_url), self._count = urls, count
        self._checker, self._numbers = checker, numbers
        self._subjects = [subject for subject in subjects if subject.width == WIDTH]
        self._stopping = False
        self.failure: Exception | None = None

    def run(self) -> None:
        """Ask until told to stop."""
        try:
            asyncio.run(self._all())
        except Exception as failure:
            self.failure = failure

    def stop(self) -> None:
        """Finish and ask no more."""
        self._stopping = True
        self.join()

    async def _all(self) -> None:
        async with Client(self._redis_url) as client, aiohttp.ClientSession() as session:

            async def over_redis(question: Question) -> Seen:
                return await ask_client(client, question)

            async def over_http(question: Question) -> Seen | None:
                return await ask_gateway(session, self._http_url, question)

            async def as_newcomer(question: Question) -> Seen:
                async with Client(self._redis_url) as newcomer:
                    return await ask_client(newcomer, question)

            doors: list[Ask] = [over_redis, over_http, as_newcomer]
            await asyncio.gather(*(self._call(door, seed) for door in doors for seed in range(self._count)))

    async def _call(self, ask: Ask, seed: int) -> None:
        draw = random.Random(seed)
        while not self._stopping:
            await asyncio.sleep(PAUSE_S * draw.uniform(0.5, 1.5))
            subject = draw.choice(self._subjects)
            x = np.array([[draw.randrange(LARGEST) for _ in range(WIDTH)]], np.float32)
            number, now = self._numbers.take(), time.monotonic()
            deadline = time.time() + TIMEOUT_S
            question = Question(number, subject.model, draw.choice(subject.names), "", x, now, deadline)
            self._checker.sent(question)
            await self._settle(ask, question)

    async def _settle(self, ask: Ask, question: Question) -> None:
        try:
            async with asyncio.timeout(HUNG_S):
                seen = await ask(question)
        except TimeoutError:
            return  # stays open: lost
        except ScurryError as failure:
            seen = Seen(0, 0.0, error=failure.code, message=f"client: {failure.message}")
        if seen is None:
            self._checker.doubtful(question.number)
        else:
            self._checker.replied(replace(seen, number=question.number, at=time.monotonic()))


async def ask_client(client: Client, question: Question) -> Seen:
    """Ask as a Python program does. Raises `ScurryError`."""
    request = InferRequest.FromString(body(question.x))
    answer = await client.ask(question.model, request, version=question.asked, timeout=TIMEOUT_S)
    outputs = arrays(answer.reply)
    return Seen(0, 0.0, answer.version, y=outputs.get("y"), s=outputs.get("s"))


def arrays(reply: InferReply) -> dict[str, Rows]:
    """The outputs of an answer."""
    return {each.name: np.frombuffer(each.data, "<f4").reshape(each.shape) for each in reply.outputs}


async def ask_gateway(session: aiohttp.ClientSession, url: str, question: Question) -> Seen | None:
    """Ask as curl does; None when the connection broke."""
    version = f"/versions/{question.asked}" if question.asked else ""
    path = f"{url}/v2/models/{question.model}{version}/infer"
    try:
        async with session.post(path, data=body_json(question.x)) as response:
            told = await response.json()
    except aiohttp.ClientError:
        return None
    return told_by_gateway(told)


def told_by_gateway(told: dict[str, Any]) -> Seen:
    """Its answer in our words."""
    if "error" in told:
        return Seen(0, 0.0, error=told["code"], message=f"gateway: {told['error']}")
    outputs = {each["name"]: np.array(each["data"], np.float32).reshape(each["shape"]) for each in told["outputs"]}
    return Seen(0, 0.0, told["model_version"], y=outputs.get("y"), s=outputs.get("s"))
