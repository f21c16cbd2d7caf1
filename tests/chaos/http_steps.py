"""Callers of sequences at the gateway: a step has an `Idempotency-Key`, by which it is asked until it is answered."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from dataclasses import replace

import aiohttp
from tests.chaos.callers import HUNG_S, TIMEOUT_S, told_by_gateway
from tests.chaos.checker import Checker
from tests.chaos.claims import Question, Seen
from tests.chaos.mix import Numbers
from tests.chaos.stepping import REFUSED_S, Crowd, begin, document, drawn, may_wander, pause
from tests.chaos.walks import Step, Walk


class HttpStepping(threading.Thread):
    """So many callers, each with a sequence after the other."""

    def __init__(self, url: str, checker: Checker, numbers: Numbers, crowd: Crowd) -> None:
        super().__init__(daemon=True, name="stepping over HTTP")
        self._url, self._checker, self._numbers, self._models = url, checker, numbers, crowd.models
        self._draws = crowd.draws()
        self._stopping = False
        self.failure: Exception | None = None

    def run(self) -> None:
        """Step until told to stop."""
        try:
            if self._models:
                asyncio.run(self._all())
        except Exception as failure:
            self.failure = failure

    def stop(self) -> None:
        """Finish the steps that are under way and ask no more."""
        self._stopping = True
        self.join()

    async def _all(self) -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._call(session, draw) for draw in self._draws))

    async def _call(self, session: aiohttp.ClientSession, draw: random.Random) -> None:
        while not self._stopping:
            walk = begin(draw.choice(self._models), draw, self._numbers)
            while not walk.over and not self._stopping:
                step = self._checker.step(walk, drawn(draw), time.monotonic())
                key = f"{self._numbers.prefix}step-{self._numbers.take()}"
                while step.state == "open" and not self._stopping:
                    await self._ask(session, walk, step, key)
                    if may_wander(step):
                        break
                if step.state == "open":
                    break  # another sequence is begun instead
                await asyncio.sleep(pause(draw, walk))

    async def _ask(self, session: aiohttp.ClientSession, walk: Walk, step: Step, key: str) -> None:
        """Each try is told the checker under a number of its own; where the connection broke nobody knows of it."""
        number, deadline = self._numbers.take(), time.time() + TIMEOUT_S
        question = Question(number, walk.model, walk.asked, "", step.x, time.monotonic(), deadline, step=step)
        self._checker.sent(question)
        tried = step.asked(time.time())
        try:
            async with asyncio.timeout(HUNG_S):
                seen = await ask(session, self._url, question, document(step, step.x), key)
        except TimeoutError:
            return  # stays open: lost
        if seen is None:
            self._checker.doubtful(number)
        else:
            tried.high = time.time()
            self._checker.replied(replace(seen, number=number, at=time.monotonic()))
        if step.state == "open":
            await asyncio.sleep(REFUSED_S)


async def ask(session: aiohttp.ClientSession, url: str, question: Question, body: str, key: str) -> Seen | None:
    """One POST; None when the connection broke."""
    version = f"/versions/{question.asked}" if question.asked else ""
    path = f"{url}/v2/models/{question.model}{version}/infer"
    try:
        async with session.post(path, data=body, headers={"Idempotency-Key": key}) as response:
            return told_by_gateway(await response.json())
    except aiohttp.ClientError:
        return None
