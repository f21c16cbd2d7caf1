"""What stands on the shelf, and how many bytes of the budget it takes.

One open model may stand under several identities; its bytes count once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict, defaultdict
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from scurry.inference.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scurry.inference.loaded_model import Key, LoadedModel, Recipe

log = logging.getLogger(__name__)

MIB: Final = 2**20
PATIENCE_SECONDS: Final = 30.0
"""How long a model waits for room that others take while they are being opened: one of them may hang."""


class Place(NamedTuple):
    """Where a model stands: exactly one registration."""

    model: str
    version: str
    identity: str

    @property
    def key(self) -> Key:
        """Model and version."""
        return self.model, self.version


class Stock:
    """Open models in the order of their use, within a budget; `reserved` bytes are for those being opened."""

    def __init__(self, budget: int, statistics: Statistics | None = None) -> None:
        self.budget, self._statistics = budget, statistics or Statistics()
        self.bytes = self.reserved = 0
        self.pinned: set[Place] = set()  # what never makes room
        self._awaited: Counter[Place] = Counter()  # by how many
        self._opened = asyncio.Event()  # another one, or it failed
        self._models: OrderedDict[Place, LoadedModel] = OrderedDict()
        self._places: defaultdict[Key, list[Place]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._models)

    def find(self, place: Place) -> LoadedModel | None:
        """The model that stands here; it is now the most recently used."""
        loaded = self._models.get(place)
        if loaded is not None:
            self._models.move_to_end(place)
            loaded.used = self._statistics.clock()
        return loaded

    def alike(self, key: Key, recipe: Recipe) -> LoadedModel | None:
        """A sound model of this version that is made of the same files in the same way."""
        here = map(self._models.__getitem__, self.places(key))
        return next((loaded for loaded in here if loaded.recipe == recipe and not loaded.broken), None)

    def places(self, key: Key) -> list[Place]:
        """Every registration of a version that stands here."""
        return [*self._places.get(key, ())]

    def put(self, place: Place, loaded: LoadedModel) -> None:
        """Take a model in, others making room; it stays pinned if it was."""
        pinned = self.pinned & {place}
        self.remove(place)
        self.pinned |= pinned
        if not self._holds(place.key, loaded):
            self.make_room(loaded.model.bytes)
            self.bytes += loaded.model.bytes
        self._models[place] = loaded
        loaded.used = self._statistics.clock()
        self._places[place.key].append(place)

    def remove(self, place: Place) -> bool:
        """Let a registration go, pinned or not; who is using its model finishes."""
        self.pinned.discard(place)
        loaded = self._models.pop(place, None)
        if loaded is None:
            return False
        self._places[place.key].remove(place)
        if not self._places[place.key]:
            del self._places[place.key]
        if not self._holds(place.key, loaded):
            self.bytes -= loaded.model.bytes
            loaded.retire()
        return True

    def clear(self) -> None:
        """Let everything go."""
        for place in tuple(self._models):
            self.remove(place)

    @asynccontextmanager
    async def room_for(self, needed: int) -> AsyncIterator[None]:
        """Keep room for a model while it is being opened; without any, it waits until others have been opened."""
        self.make_room(needed)
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while self.reserved and not self._fits(needed) and (left := end - asyncio.get_running_loop().time()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._opened.wait(), left)
            self.make_room(needed)
        self.reserved += needed
        try:
            yield
        finally:
            self.reserved -= needed
            self._opened.set()
            self._opened = asyncio.Event()

    async def when_open(self, place: Place, load: asyncio.Task[LoadedModel]) -> LoadedModel:
        """What is being opened for somebody, who finds it there: until he has it, it makes no room."""
        self._awaited[place] += 1
        try:
            # Shielded: whoever gives up waiting must not stop the load for the others.
            return await asyncio.shield(load)
        finally:
            self._awaited -= Counter((place,))  # what nobody awaits goes

    def make_room(self, needed: int) -> None:
        """Let the least recently used go that nobody is using or has pinned, until the budget has room."""
        if self._fits(needed):
            return
        for place in [place for place, loaded in self._models.items() if not loaded.users and self._may_go(place)]:
            age = self._statistics.evict(self._models[place].used)
            log.info("model %s version %s makes room, last used %.1f s ago", place.model, place.version, age)
            self.remove(place)
            if self._fits(needed):
                return

    @property
    def pinned_bytes(self) -> int:
        """What pinned models take."""
        models = {id(loaded): loaded for place, loaded in self._models.items() if place in self.pinned}
        return sum(loaded.model.bytes for loaded in models.values())

    def _fits(self, needed: int) -> bool:
        return self.bytes + self.reserved + needed <= self.budget

    def _may_go(self, place: Place) -> bool:
        return place not in self.pinned and place not in self._awaited

    def _holds(self, key: Key, loaded: LoadedModel) -> bool:
        """Whether it stands under any identity; only those of its own version share a model."""
        return any(self._models[place] is loaded for place in self._places.get(key, ()))

    def __repr__(self) -> str:
        return f"<Stock {len(self)} models, {self.bytes // MIB} of {self.budget // MIB} MiB>"
