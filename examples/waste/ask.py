"""Cameras that send pictures over HTTP, and what each was told."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
from examples.waste.images import WASTE, jpeg, waste

CAMERAS = 200
AT_ONCE = 16
NAME = "waste"


@dataclass(frozen=True)
class Told:
    """The answer to one picture, and the version that gave it."""

    number: int
    version: str
    kind: str
    seconds: float

    @property
    def camera(self) -> int:
        """Which camera took the picture."""
        return self.number % CAMERAS

    @property
    def right(self) -> bool:
        """Whether that is what the picture shows."""
        return self.kind == WASTE[self.number % len(WASTE)]


async def ask_all(url: str, numbers: range) -> list[Told]:
    """These pictures, a few at a time. Raises `aiohttp.ClientResponseError` when one is not answered."""
    left, told = iter(numbers), list[Told]()
    async with aiohttp.ClientSession(url, raise_for_status=True) as session, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(_some(session, left, told))
    return told


async def _some(session: aiohttp.ClientSession, left: Iterator[int], told: list[Told]) -> None:
    for number in left:  # shared: each picture is taken by one
        told.append(await ask(session, number))  # noqa: PERF401 - all tasks fill one list


async def ask(session: aiohttp.ClientSession, number: int) -> Told:
    """One picture, as JSON of the Open Inference Protocol. The camera is the sticky key: it stays with one version."""
    data = base64.b64encode(jpeg(waste(number))).decode()
    body = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [data]}]}
    headers = {"Scurry-Key": f"camera-{number % CAMERAS}"}
    start = time.perf_counter()
    async with session.post(f"/v2/models/{NAME}/infer", json=body, headers=headers) as response:
        answer = await response.json()
    seconds = time.perf_counter() - start
    outputs = {each["name"]: each["data"] for each in answer["outputs"]}
    return Told(number, answer["model_version"], outputs["kind_labels"][0], seconds)
