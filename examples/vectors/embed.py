"""Records sent to the served encoder, many in a request, several requests at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from examples.vectors.records import Floats

from scurry import BlockingClient
from scurry.wire.messages_pb2 import Register, Update

NAME = "encoder"
BATCH = 32
"""Rows of a request."""
AT_ONCE = 64


def register(client: BlockingClient, file: Path) -> None:
    """The encoder, ready."""
    client.update(Update(model=NAME, register=Register(version="1", uri=str(file))), timeout=120)


def embed(client: BlockingClient, rows: Floats) -> tuple[Floats, float]:
    """An embedding for each row, in their order, and the seconds that took."""
    start = time.perf_counter()
    parts = list(_answers(client, np.split(rows, range(BATCH, len(rows), BATCH))))
    return np.concatenate(parts), time.perf_counter() - start


def _answers(client: BlockingClient, batches: list[Floats]) -> Iterator[Floats]:
    asked = [client.infer_later(NAME, {"record": batch}) for batch in batches[:AT_ONCE]]
    for at in range(len(batches)):
        yield asked[at].result()["embedding"].astype(np.float32, copy=False)
        if len(asked) < len(batches):
            asked.append(client.infer_later(NAME, {"record": batches[len(asked)]}))
