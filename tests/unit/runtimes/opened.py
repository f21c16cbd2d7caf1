"""Models opened as a worker opens them."""

from __future__ import annotations

from scurry.runtimes.catalog import Opener
from scurry.runtimes.runtime import Runtime
from scurry.wire.messages_pb2 import ModelSpec


def open_model(model: str, version: str, spec: ModelSpec, threads: int = 1, root: str = "") -> Runtime:
    """The open model of a spec. Raises `load_failed`."""
    opener = Opener(threads, root)
    return opener.open(opener.find(model, version, spec), spec.config)
