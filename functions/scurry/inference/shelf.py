"""The shelf: models that are open, within a memory budget.

A model stands here under the identity of its registration, and only who names that identity gets it: an old one stays
until it is unloaded, a new one never answers for it. It is opened once however many ask for it, several models at a
time, off the event loop. The least recently used ones that nobody is using make room before a model is opened. A
registration whose files and options are those of one that is open takes over what is open. A failure is remembered
for a moment, so that many requests for a broken model do not open it once for each. What was unloaded is not brought
back by requests that come late.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from scurry.inference.failures import Failures
from scurry.inference.given_back import GivenBack
from scurry.inference.loaded_model import Key, LoadedModel
from scurry.inference.loaders import Loaders
from scurry.inference.statistics import Statistics
from scurry.inference.stock import MIB, Place, Stock
from scurry.inference.suspects import Suspects
from scurry.inference.underway import Underway
from scurry.sources.allowed import is_remote
from scurry.wire.errors import Failed, ScurryError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from scurry.inference.suspects import Trial
    from scurry.runtimes.catalog import Subject
    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

log = logging.getLogger(__name__)

DROPPED: Final = 4096
"""Unloaded registrations that are remembered."""
FETCH_SECONDS: Final = 600.0
"""How long a fetch may take; it has a limit of its own, which is less."""
FETCHED: Final = 8
"""Models that are fetched at a time; those that lie here do not wait for them."""
OPENING: Final = 1.2
"""Memory that a model is taken to need before it was ever opened, relative to its files."""


class Models(Protocol):
    """Finds and opens models."""

    def find(self, model: str, version: str, spec: ModelSpec) -> Subject:
        """The files of a spec. Raises `load_failed`."""
        ...

    def open(self, subject: Subject, config: str) -> Runtime:
        """The open model. Raises `load_failed`."""
        ...


class Gone(Exception):
    """The registration was unloaded: whoever sent the request has to choose again."""


def identity_of(spec: ModelSpec) -> str:
    """What names a registration; made up for a spec that a registry of an earlier kind wrote."""
    if spec.identity:
        return spec.identity
    text = "\0".join((str(spec.generation), spec.uri, spec.runtime, spec.config))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Shelf:
    """Open models by name, version and identity."""

    def __init__(
        self,
        models: Models,
        budget: int,
        clock: Callable[[], float] = time.monotonic,
        trial: Trial | None = None,
        loaders: Loaders | None = None,
    ) -> None:
        self._opener, self._loaders, self._clock = models, loaders or Loaders(), clock
        self._fetchers, self.statistics = Loaders(FETCH_SECONDS, most=FETCHED), Statistics(clock)
        self._stock, self._suspects = Stock(budget, self.statistics), Suspects(trial)
        self._loading, self._given_back = Underway(), GivenBack(budget)
        self._failures = Failures(clock)
        self._dropped: OrderedDict[Place, None] = OrderedDict()
        self._sizes: dict[str, int] = {}  # by fingerprint: what a model took when it was open

    def find(self, key: Key, spec: ModelSpec) -> LoadedModel | None:
        """The model, when it stands here under the spec's identity; it is now the most recently used."""
        return self._stock.find(Place(*key, identity_of(spec)))

    async def load(self, key: Key, spec: ModelSpec, requests: int = 0) -> LoadedModel:
        """The model, for so many requests, opened if need be. Raises `load_failed`, or `Gone` for what was unloaded."""
        place = Place(*key, identity_of(spec))
        if place in self._dropped:
            raise Gone
        found = self.begin(key, spec)
        self.statistics.ask(requests, hit=isinstance(found, LoadedModel))
        return found if isinstance(found, LoadedModel) else await self._stock.when_open(place, found)

    def begin(self, key: Key, spec: ModelSpec, *, apart: bool = False) -> LoadedModel | asyncio.Task[LoadedModel]:
        """The model or its load, begun if need be, also of what was unloaded. Raises what failed a moment ago."""
        place = Place(*key, identity_of(spec))
        self._dropped.pop(place, None)
        if spec.pinned:
            self._stock.pinned.add(place)
        loaded = self._stock.find(place)
        if loaded is not None:
            return loaded
        self._failures.raise_recent(place)
        self._suspects.note(place, apart=apart)
        before = list(self._loading.of(place.key).values())
        return self._loading.find(place) or self._loading.begin(place, self._load(place, spec, before))

    def unload(self, key: Key, identity: str) -> int:
        """Forget one registration, or with no identity each of the version; who is using it finishes. How many went."""
        going = {Place(*key, identity)} if identity else {*self._stock.places(key), *self._loading.of(key)}
        for place in going:
            self._failures.forget(place)
            self._dropped[place] = None
        while len(self._dropped) > DROPPED:
            self._dropped.popitem(last=False)
        return sum([self._stock.remove(place) for place in going])

    def unpin(self, key: Key, identity: str) -> None:
        """One registration may make room again."""
        self._stock.pinned.discard(Place(*key, identity))

    def trim(self) -> None:
        """Let the least recently used models go that nobody is using, until the budget is kept."""
        self._stock.make_room(0)

    def clear(self) -> None:
        """Let every model go."""
        self._stock.clear()

    @property
    def models(self) -> int:
        """How many registrations are open."""
        return len(self._stock)

    @property
    def bytes(self) -> int:
        """What they take, measured."""
        return self._stock.bytes

    async def _load(self, place: Place, spec: ModelSpec, before: list[asyncio.Task[LoadedModel]]) -> LoadedModel:
        if before:  # one load at a time per version
            await asyncio.wait(before)
        _require_address(place, spec)
        started = self._clock()
        try:
            loaded = await self._open(place, spec)
        except Exception as cause:
            failure = _known(cause)
            self._failures.note(place, failure)
            self.statistics.failures += 1
            log.warning("model %s version %s failed to load: %s", place.model, place.version, failure.message)
            raise failure from cause
        if place not in self._dropped:
            self._stock.put(place, loaded)
        self.statistics.load(self._clock() - started, self)
        return loaded

    async def _open(self, place: Place, spec: ModelSpec) -> LoadedModel:
        """Read the files, take over what is open if it is made of the same, else make room and open."""
        run, stock = self._loaders.run, self._stock
        finders = self._fetchers if is_remote(spec.uri) else self._loaders
        subject = await finders.run(partial(self._opener.find, place.model, place.version, spec))
        _refuse_changed(subject, spec)
        recipe = (subject.fingerprint, subject.runtime.name, spec.config)
        alike = stock.alike(place.key, recipe)
        if alike is not None:
            return alike
        await self._suspects.try_out(place, spec)
        needed = self._sizes.get(subject.fingerprint, int(subject.bytes * OPENING))
        _refuse_oversize(place, needed, stock.budget, stock.pinned_bytes)
        async with stock.room_for(needed):
            model = await run(partial(self._opener.open, subject, spec.config))
        self._sizes[subject.fingerprint] = model.bytes
        self._given_back.note(model.bytes)
        _close_oversize(place, model, stock)
        return LoadedModel(place.key, model, recipe)

    def __repr__(self) -> str:
        used, budget = self._stock.bytes // MIB, self._stock.budget // MIB
        return f"<Shelf {len(self._stock)} models, {used} of {budget} MiB, {len(self._loading)} loading>"


def _require_address(place: Place, spec: ModelSpec) -> None:
    if not spec.uri:
        sentence = f"{place.model} version {place.version} is not on this worker, nor is its address."
        raise Unavailable("model_not_ready", sentence)


def _known(cause: Exception) -> ScurryError:
    """A failure as it is told."""
    return cause if isinstance(cause, ScurryError) else Failed("load_failed", f"Cannot be loaded: {cause!r}.")


def _refuse_changed(subject: Subject, spec: ModelSpec) -> None:
    if spec.fingerprint and spec.fingerprint != subject.fingerprint:
        raise Failed("load_failed", f"{subject.file.path} was changed since it was registered; register it again.")


def _refuse_oversize(place: Place, needed: int, budget: int, pinned: int) -> None:
    if needed + pinned > budget:
        takes, may = needed / MIB, budget / MIB
        beside = f", {pinned / MIB:.0f} of them taken by pinned models" if pinned else ""
        what = f"{place.model} version {place.version} takes {takes:.0f} MiB"
        sentence = f"{what}; this worker may hold {may:.0f} MiB{beside}."
        raise Failed("load_failed", sentence)


def _close_oversize(place: Place, model: Runtime, stock: Stock) -> None:
    try:
        _refuse_oversize(place, model.bytes, stock.budget, stock.pinned_bytes)
    except ScurryError:
        model.close()
        raise
