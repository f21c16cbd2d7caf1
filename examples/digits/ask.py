"""Images sent as requests, and what came back for each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from examples.digits.in_process import InProcess, Key, label
from examples.digits.train import HeldBack

from scurry.client.answers import Answer
from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_array, to_tensor

CALLERS = 64


@dataclass
class Tally:
    """What one version answered."""

    latencies: list[float] = field(default_factory=list)
    right: int = 0
    seconds: float = 0.0

    @property
    def row(self) -> tuple[str, ...]:
        """Accuracy, requests, requests/s, p50 and p99 as text."""
        p50, p99 = np.percentile(self.latencies, (50, 99)) * 1000
        count = len(self.latencies)
        return f"{self.right / count:.1%}", f"{count}", f"{count / self.seconds:,.0f}", f"{p50:.1f}", f"{p99:.1f}"


class Asker:
    """Sends images, holds each answer against the model run in process."""

    def __init__(self, client: Client, held_back: HeldBack, expected: InProcess) -> None:
        self._client, self._held_back, self._expected = client, held_back, expected
        self.answers: dict[str, Answer | None] = {}
        self.by_version: Counter[Key] = Counter()
        self.wrong: list[str] = []

    async def ask(self, model: str, version: str, image: int) -> tuple[bool, float]:
        """Ask about one image; whether the digit is right, and the seconds it took."""
        request_id = f"digits-{len(self.answers):06d}"
        self.answers[request_id] = None
        tensor = to_tensor("X", self._held_back.images[image : image + 1])
        start = time.perf_counter()
        try:
            answer = await self._client.ask(
                model, InferRequest(inputs=[tensor]), version=version, id=request_id, keep=120
            )
        except ScurryError as error:
            self.wrong.append(f"{model} {version or '(any)'}, image {image}: {error}")
            return False, time.perf_counter() - start
        seconds = time.perf_counter() - start
        self.answers[request_id] = answer
        return self._check(answer, model, version, image), seconds

    def _check(self, answer: Answer, model: str, version: str, image: int) -> bool:
        key = answer.model, answer.version
        self.by_version[key] += 1
        arrays = {tensor.name: to_array(tensor) for tensor in answer.reply.outputs}
        problem = "" if answer.model == model and version in ("", answer.version) else f"answered by {key}"
        problem = problem or self._expected.difference(key, image, arrays)
        if problem:
            self.wrong.append(f"{model} {version or '(any)'}, image {image}: {problem}")
        return bool(label(arrays) == self._held_back.digits[image])

    async def ask_all(self, model: str, version: str) -> Tally:
        """Every held-back image once, a few dozen at a time."""
        tally, images = Tally(), iter(range(len(self._held_back.images)))

        async def caller() -> None:
            for image in images:
                right, seconds = await self.ask(model, version, image)
                tally.latencies.append(seconds)
                tally.right += right

        start = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        tally.seconds = time.perf_counter() - start
        return tally

    async def check_kept(self) -> None:
        """Under every id that was sent one result is kept, and it is the answer that came."""
        for request_id, answer in self.answers.items():
            try:
                kept = await self._client.result(request_id)
            except ScurryError as error:
                self.wrong.append(f"{request_id}: {error}")
                continue
            if kept != answer:
                self.wrong.append(f"{request_id} keeps another result than the one that was answered")


class Stream:
    """Requests that never stop while the block lasts: about a model, without naming a version."""

    def __init__(self, asker: Asker, model: str, images: int, callers: int = 4) -> None:
        self._asker, self._model, self._images, self._callers = asker, model, images, callers
        self.count = 0

    async def __aenter__(self) -> Stream:
        self._stopping, self._flowing = False, asyncio.Event()
        self._tasks = [asyncio.create_task(self._flow()) for _ in range(self._callers)]
        await self._flowing.wait()
        return self

    async def _flow(self) -> None:
        while not self._stopping:
            await self._asker.ask(self._model, "", self.count % self._images)
            self.count += 1
            self._flowing.set()
            await asyncio.sleep(0.002)

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
