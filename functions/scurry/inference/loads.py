"""Answers `Load` within a second, whether or not the model is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import Loaded, LoadFailed, Loading
from scurry.wire.names import REGISTRY, TYPE_PREFIX

if TYPE_CHECKING:
    from scurry.endpoint.call import Call
    from scurry.inference.shelf import LoadedModel, Shelf
    from scurry.wire.messages_pb2 import Load

PATIENCE_SECONDS: Final = 0.8
"""The registry is told `Loading` after this, and asks again."""


async def answer_load(call: Call, load: Load, shelf: Shelf, worker: str, patience: float = PATIENCE_SECONDS) -> None:
    """Tell the registry `Loaded`, `LoadFailed` or `Loading`."""
    version, lane, generation = load.version, load.lane, load.spec.generation
    answer: Loaded | LoadFailed | Loading
    try:
        # The load itself goes on when the wait for it ends.
        loaded = await asyncio.wait_for(shelf.load((load.model, load.version), load.spec), patience)
        answer = describe(load, loaded, worker)
    except TimeoutError:
        answer = Loading(version=version, lane=lane, generation=generation)
    except ScurryError as failure:
        answer = LoadFailed(
            version=version, lane=lane, generation=generation, error=failure.code, message=failure.message
        )
    call.send(REGISTRY, load.model, f"{TYPE_PREFIX}{type(answer).__name__}", answer.SerializeToString())


def describe(load: Load, loaded: LoadedModel, worker: str) -> Loaded:
    """What the registry wants to know of an open model."""
    model = loaded.model
    return Loaded(
        version=load.version,
        lane=load.lane,
        generation=load.spec.generation,
        worker=worker,
        signature=model.signature(),
        bytes=model.bytes,
        max_batch_size=model.max_batch_size,
        runtime=model.name,
        device=model.device,
        warnings=model.warnings,
    )
