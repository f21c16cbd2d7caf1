"""The poison that is sent."""

from __future__ import annotations

import random

import pytest
from google.protobuf.message import DecodeError
from tests.chaos.poison import ENTRIES, REGISTRY, REQUESTS, Poison, apply, tensor

from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable
from scurry.wire.infer_pb2 import InferRequest

KNOWN = frozenset().union(*(kind.codes for kind in (InvalidRequest, NotFound, Unavailable, Failed))) | {"ok"}
TABLES = {"request": REQUESTS, "entry": ENTRIES, "registry": REGISTRY}
ALL = {f"{table}: {name}": kind for table, kinds in TABLES.items() for name, kind in kinds.items()}


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_every_kind_changes_a_sound_entry_and_names_real_codes(kind: Poison) -> None:
    """Else nothing would be poisoned, or nothing could be right."""
    base = {"model": "m", "request": tensor(), "id": "1", "reply": "scurry:replies:r"}
    assert apply(base, kind.fields(random.Random(1))) != base
    assert kind.codes
    assert kind.codes <= KNOWN


def test_what_is_truncated_cannot_be_read() -> None:
    """Wherever it is cut."""
    for seed in range(50):
        cut = REQUESTS["a truncated message"].fields(random.Random(seed))["request"]
        assert isinstance(cut, bytes)
        with pytest.raises(DecodeError):
            InferRequest.FromString(cut)
