"""Tells the registry what became of a model that it asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from scurry.wire.errors import ScurryError
from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import Loaded, LoadFailed, Loading
from scurry.wire.names import REGISTRY, TYPE_PREFIX

if TYPE_CHECKING:
    from scurry.endpoint.call import Call
    from scurry.inference.loaded_model import Key, LoadedModel
    from scurry.inference.shelf import Shelf
    from scurry.wire.messages_pb2 import Load, ModelSpec

PATIENCE_SECONDS: Final = 0.8
"""The registry is told `Loading` after this, and asks again."""


async def answer_load(call: Call, load: Load, shelf: Shelf, worker: str, patience: float = PATIENCE_SECONDS) -> None:
    """Tell the registry `Loaded`, `LoadFailed` or `Loading` within a second, whether or not the model is open."""
    spec = load.spec
    answer: Loaded | LoadFailed | Loading
    try:
        # The load itself goes on when the wait for it ends.
        opening = shelf.load((load.model, load.version), spec, asked=True, apart=load.apart)
        loaded = await asyncio.wait_for(opening, patience)
        answer = describe(loaded, worker)
    except TimeoutError:
        answer = Loading()
    except ScurryError as failure:
        answer = LoadFailed(error=failure.code, message=shortened(failure.message))
    answer.version, answer.lane = load.version, load.lane
    answer.generation, answer.identity = spec.generation, spec.identity
    call.send(REGISTRY, load.model, f"{TYPE_PREFIX}{type(answer).__name__}", answer.SerializeToString())


def report_broken(call: Call, key: Key, spec: ModelSpec, sentence: str) -> None:
    """Tell the registry that a model which was loaded cannot be mended; told twice it does no harm."""
    told = LoadFailed(version=key[1], lane=-1, generation=spec.generation, identity=spec.identity)
    told.error, told.message = "model_failed", shortened(sentence)
    call.send(REGISTRY, key[0], f"{TYPE_PREFIX}LoadFailed", told.SerializeToString())


def describe(loaded: LoadedModel, worker: str) -> Loaded:
    """What the registry wants to know of an open model."""
    model = loaded.model
    return Loaded(
        worker=worker,
        signature=model.signature(),
        bytes=model.bytes,
        max_batch_size=model.max_batch_size,
        runtime=model.name,
        device=model.device,
        fingerprint=loaded.recipe[0],
        warnings=map(shortened, model.warnings),
    )
