"""Sees to loads and unloads, and tells the registry of them.

Every `Load` is answered within a second; the registry asks again for what is loading. So many are waited for, because
a call that is waited for keeps its exchange open; when thousands of models are registered at once, the others are told
`Loading` at once. What becomes of a load after `Loading` was told is owed to the registry,
whenever it asks next: a failure is not begun anew by then, nor is a model that had to make room again meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from scurry.inference.loaded_model import LoadedModel
from scurry.inference.response_cache import OFF, ResponseCache
from scurry.wire.errors import ScurryError
from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import Load, Loaded, LoadFailed, Loading, Unload
from scurry.wire.names import REGISTRY, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.endpoint.call import Call
    from scurry.inference.loaded_model import Key
    from scurry.inference.shelf import Shelf
    from scurry.wire.messages_pb2 import ModelSpec

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 0.8
"""The registry is told `Loading` after this."""
WAITED_FOR: Final = 32
"""Loads that are waited for at a time."""
OWED: Final = 16_384
"""Answers that are kept for the registry, which may have lost its interest."""

Asked = tuple[str, str, str, int]
"""Model, version, identity and lane: who is told."""


class Loads:
    """Answers `Load` and `Unload` from the shelf of one worker."""

    def __init__(
        self, shelf: Shelf, worker: str, patience: float = PATIENCE_SECONDS, cache: ResponseCache = OFF
    ) -> None:
        self.worker = worker  # its address, known once it listens
        self._shelf, self._patience, self._cache = shelf, patience, cache
        self._waiting = 0
        self._owed: OrderedDict[Asked, Loaded | LoadFailed] = OrderedDict()

    def over(self, call: Call, changes: Sequence[Load | Unload]) -> bool:
        """Whether a call has no changes that are to be waited for; a single one is begun, and often that is all."""
        if len(changes) > 1:
            return False
        try:
            return not changes or self.at_once(call, changes[0])
        except Exception:
            log.exception("%s: a change failed", call.key)
            return True

    def at_once(self, call: Call, change: Load | Unload) -> bool:
        """Begin a change, and say what there is to say; False when its end is worth waiting for."""
        key = change.model, change.version
        owed = self._owed.pop(_asked(change), None) if isinstance(change, Load) else None
        if isinstance(change, Unload):
            (self._shelf.unpin if change.unpin else self._shelf.unload)(key, change.identity)
            if not change.unpin:
                self._cache.forget(change.identity)
            return True
        if owed is not None:
            _tell(call, change, owed)
            return True
        try:
            found = self._shelf.begin(key, change.spec, apart=change.apart)
        except ScurryError as failure:
            _tell(call, change, _failed(failure))
            return True
        if isinstance(found, LoadedModel):
            _tell(call, change, describe(found, self.worker))
            return True
        if self._waiting >= WAITED_FOR:
            self._owe(change, found)
            _tell(call, change, Loading())
            return True
        return False

    async def answer_all(self, call: Call, changes: Sequence[Load | Unload]) -> None:
        """Answer the changes of a call; one that fails harms no other."""
        answers = [self.answer(call, change) for change in changes]
        for failure in await asyncio.gather(*answers, return_exceptions=True):
            if failure is not None:
                log.error("%s: a change failed", call.key, exc_info=failure)

    async def answer(self, call: Call, change: Load | Unload) -> None:
        """The same, but wait for what takes a moment."""
        if self.at_once(call, change) or isinstance(change, Unload):
            return
        self._waiting += 1
        answer: Loaded | LoadFailed | Loading
        opening = asyncio.ensure_future(self._shelf.load((change.model, change.version), change.spec))
        try:
            # The load itself goes on when the wait for it ends.
            answer = describe(await asyncio.wait_for(asyncio.shield(opening), self._patience), self.worker)
        except TimeoutError:
            self._owe(change, opening)
            answer = Loading()
        except ScurryError as failure:
            answer = _failed(failure)
        finally:
            self._waiting -= 1
        _tell(call, change, answer)

    def _owe(self, change: Load, opening: asyncio.Task[LoadedModel]) -> None:
        """Keep what becomes of a load for the registry, which was told `Loading`."""

        def note(done: asyncio.Task[LoadedModel]) -> None:
            failure = None if done.cancelled() else done.exception()
            if isinstance(failure, ScurryError):
                self._owed[_asked(change)] = _failed(failure)
            elif failure is None and not done.cancelled():
                self._owed[_asked(change)] = describe(done.result(), self.worker)
            while len(self._owed) > OWED:
                self._owed.popitem(last=False)

        opening.add_done_callback(note)

    def __repr__(self) -> str:
        return f"<Loads {self._waiting} waited for>"


def _asked(load: Load) -> Asked:
    return load.model, load.version, load.spec.identity, load.lane


def _failed(failure: ScurryError) -> LoadFailed:
    return LoadFailed(error=failure.code, message=shortened(failure.message))


def _tell(call: Call, load: Load, answer: Loaded | LoadFailed | Loading) -> None:
    answer.version, answer.lane = load.version, load.lane
    answer.generation, answer.identity = load.spec.generation, load.spec.identity
    if isinstance(answer, Loaded):
        answer.pool = load.spec.pool
    call.send(REGISTRY, load.model, f"{TYPE_PREFIX}{type(answer).__name__}", answer.SerializeToString())


def report_broken(call: Call, key: Key, spec: ModelSpec, sentence: str) -> None:
    """Tell the registry that a model which was loaded cannot be mended; told twice it does no harm."""
    told = LoadFailed(version=key[1], lane=-1, generation=spec.generation, identity=spec.identity)
    told.error, told.message = "model_failed", shortened(sentence)
    call.send(REGISTRY, key[0], f"{TYPE_PREFIX}LoadFailed", told.SerializeToString())


def describe(loaded: LoadedModel, worker: str) -> Loaded:
    """What the registry wants to know of an open model."""
    model = loaded.model
    signature = model.signature()
    for output in signature.outputs:
        output.labels.extend(model.labels.get(output.name, ()))
    return Loaded(
        worker=worker,
        signature=signature,
        bytes=model.bytes,
        max_batch_size=model.max_batch_size,
        sequences=model.sequences is not None,
        runtime=model.name,
        device=model.device,
        isolated=model.thread is not None,
        fingerprint=loaded.recipe[0],
        warnings=map(shortened, model.warnings),
    )
