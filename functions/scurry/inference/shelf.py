"""The shelf: models that are open, within a memory budget.

A model is opened once however many ask for it, several at a time, off the event loop. The least recently used ones
that nobody is using make room. A spec of a newer generation replaces what stands there; an older one is answered by
the newer model, because a version switch has overtaken it. A failure is remembered for a moment, so that many
requests for a broken model do not open it once for each.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from scurry.inference.layouts import LayoutCache
from scurry.wire.errors import Failed, ScurryError, Unavailable, error

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

log = logging.getLogger(__name__)

Key = tuple[str, str]

FAILURE_SECONDS: Final = 2.0
SMOOTHING: Final = 0.2
MIB: Final = 2**20


class LoadedModel:
    """A model on the shelf: its layouts, how long a run of it takes, and how many are using it."""

    __slots__ = ("generation", "key", "layouts", "model", "seconds", "slots", "users")

    def __init__(self, key: Key, model: Runtime, generation: int) -> None:
        self.key, self.model, self.generation = key, model, generation
        self.layouts = LayoutCache(model)
        self.seconds = model.seconds
        self.users = 0
        # Runs at a time: as many as the cores carry; beyond, lanes would only evict each other from the caches.
        self.slots = asyncio.Semaphore(max(1, (os.cpu_count() or 1) // max(1, model.threads)))

    def expected(self, requests: int) -> float:
        """Seconds that so many requests of one row will about take."""
        return self.seconds * (1 + (requests - 1) // self.model.max_batch_size)

    def record_latency(self, seconds: float) -> None:
        """Note how long one run took: an exponentially weighted mean."""
        self.seconds += SMOOTHING * (seconds - self.seconds)

    def __repr__(self) -> str:
        return f"<LoadedModel {self.key[0]}@{self.key[1]} generation {self.generation}, {self.users} users>"


class Shelf:
    """Open models by name and version."""

    def __init__(
        self,
        open_model: Callable[[str, str, ModelSpec], Runtime],
        budget: int,
        loaders: Executor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._budget, self._loaders, self._clock = open_model, budget, loaders, clock
        self._models: OrderedDict[Key, LoadedModel] = OrderedDict()
        self._loading: dict[Key, tuple[int, asyncio.Task[LoadedModel]]] = {}
        self._failed: dict[Key, tuple[int, float, ScurryError]] = {}
        self._unwanted: dict[Key, int] = {}  # unloaded while still loading
        self._bytes = 0

    def find(self, key: Key, generation: int) -> LoadedModel | None:
        """The model, when it stands here in this generation or a newer one; it is now the most recently used."""
        loaded = self._models.get(key)
        if loaded is None or loaded.generation < generation:
            return None
        self._models.move_to_end(key)
        return loaded

    async def load(self, key: Key, spec: ModelSpec) -> LoadedModel:
        """The model, opened if need be. Raises `load_failed`, or `model_not_ready` without a spec to open."""
        while True:
            loaded = self.find(key, spec.generation)
            if loaded is not None:
                return loaded
            self._raise_recent_failure(key, spec.generation)
            generation, task = self._loading.get(key, (-1, None))
            if task is None or generation < spec.generation:
                task = self._start(key, spec, task)
            # Shielded: whoever gives up waiting must not stop the load for the others.
            loaded = await asyncio.shield(task)
            if loaded.generation >= spec.generation:
                return loaded

    def unload(self, key: Key, generation: int) -> bool:
        """Forget the model unless a newer generation stands here; who is using it finishes."""
        loaded = self._models.get(key)
        self._failed.pop(key, None)
        if key in self._loading:
            self._unwanted[key] = generation
        if loaded is None or loaded.generation > generation:
            return False
        self._remove(loaded)
        return True

    def trim(self) -> None:
        """Let the least recently used models go that nobody is using, until the budget is kept."""
        self._make_room(0)

    @property
    def models(self) -> int:
        """How many models are open."""
        return len(self._models)

    @property
    def bytes(self) -> int:
        """What they take, measured."""
        return self._bytes

    def _start(self, key: Key, spec: ModelSpec, before: asyncio.Task[LoadedModel] | None) -> asyncio.Task[LoadedModel]:
        task = asyncio.get_running_loop().create_task(self._load(key, spec, before), name=f"load {key[0]}@{key[1]}")
        self._loading[key] = (spec.generation, task)
        task.add_done_callback(lambda done: self._settled(key, done))
        return task

    async def _load(self, key: Key, spec: ModelSpec, before: asyncio.Task[LoadedModel] | None) -> LoadedModel:
        if before is not None:  # one load at a time per model
            await asyncio.wait([before])
        if not spec.uri:
            raise Unavailable(
                "model_not_ready", f"{key[0]} version {key[1]} is not on this worker, nor is its address."
            )
        loop = asyncio.get_running_loop()
        started = self._clock()
        try:
            model = await loop.run_in_executor(self._loaders, self._open, *key, spec)
            self._refuse_oversize(key, model)
        except Exception as cause:
            failure = (
                cause if isinstance(cause, ScurryError) else Failed("load_failed", f"Cannot be loaded: {cause!r}.")
            )
            self._failed[key] = (spec.generation, self._clock() + FAILURE_SECONDS, failure)
            log.warning("model %s version %s failed to load: %s", *key, failure.message)
            raise failure from cause
        loaded = LoadedModel(key, model, spec.generation)
        self._place(loaded)
        log.debug("model %s version %s loaded in %.3f s", *key, self._clock() - started)
        return loaded

    def _refuse_oversize(self, key: Key, model: Runtime) -> None:
        if model.bytes > self._budget:
            raise Failed(
                "load_failed",
                f"{key[0]} version {key[1]} takes {model.bytes / MIB:.0f} MiB; "
                f"this worker may hold {self._budget / MIB:.0f} MiB.",
            )

    def _place(self, loaded: LoadedModel) -> None:
        if self._unwanted.get(loaded.key, -1) >= loaded.generation:
            return
        old = self._models.get(loaded.key)
        if old is not None:
            self._remove(old)
        self._make_room(loaded.model.bytes)
        self._models[loaded.key] = loaded
        self._bytes += loaded.model.bytes

    def _make_room(self, needed: int) -> None:
        if self._bytes + needed <= self._budget:
            return
        for loaded in [each for each in self._models.values() if not each.users]:
            if self._bytes + needed <= self._budget:
                return
            log.info("model %s version %s makes room", *loaded.key)
            self._remove(loaded)

    def _remove(self, loaded: LoadedModel) -> None:
        del self._models[loaded.key]
        self._bytes -= loaded.model.bytes

    def _settled(self, key: Key, task: asyncio.Task[LoadedModel]) -> None:
        if self._loading.get(key, (0, None))[1] is task:
            del self._loading[key]
            self._unwanted.pop(key, None)
        if not task.cancelled():
            task.exception()  # those who wait have it; nobody waiting is no error

    def _raise_recent_failure(self, key: Key, generation: int) -> None:
        failed = self._failed.get(key)
        if failed is None:
            return
        if failed[0] >= generation and self._clock() < failed[1]:
            raise error(failed[2].code, failed[2].message)
        del self._failed[key]

    def __repr__(self) -> str:
        used, budget = self._bytes // MIB, self._budget // MIB
        return f"<Shelf {len(self._models)} models, {used} of {budget} MiB, {len(self._loading)} loading>"
