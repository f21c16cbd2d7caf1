"""Loads that are under way."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from scurry.inference.loaded_model import Key, LoadedModel
    from scurry.inference.stock import Place


class Underway:
    """Their tasks by place, until they are done; found by version without looking through all of them."""

    def __init__(self) -> None:
        self._tasks: defaultdict[Key, dict[Place, asyncio.Task[LoadedModel]]] = defaultdict(dict)

    def find(self, place: Place) -> asyncio.Task[LoadedModel] | None:
        """The load of a registration."""
        return self._tasks.get(place.key, {}).get(place)

    def of(self, key: Key) -> dict[Place, asyncio.Task[LoadedModel]]:
        """Every load of a version."""
        return dict(self._tasks.get(key, ()))

    def begin(self, place: Place, load: Coroutine[Any, Any, LoadedModel]) -> asyncio.Task[LoadedModel]:
        """Begin a load and keep it until it is done."""
        task = asyncio.get_running_loop().create_task(load, name=f"load {place.model}@{place.version}")
        self._tasks[place.key][place] = task
        task.add_done_callback(lambda done: self._settled(place, done))
        return task

    def _settled(self, place: Place, task: asyncio.Task[LoadedModel]) -> None:
        tasks = self._tasks[place.key]
        if tasks.get(place) is task:
            del tasks[place]
        if not tasks:
            del self._tasks[place.key]
        if not task.cancelled():
            task.exception()  # those who wait have it; nobody waiting is no error

    def __len__(self) -> int:
        return sum(map(len, self._tasks.values()))

    def __repr__(self) -> str:
        return f"<Underway {len(self)} loads>"
