"""Outputs by their classes, and in shared memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scurry.gateway.outputs import put_down, tell_classes
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols.oip_extensions import Place
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import to_array, to_tensor

RECORD: dict[str, Any] = {"versions": [
    {"version": "1", "state": "ready", "signature": {"batched": True}, "config": {"labels": ["cat", "dog"]}},
]}  # fmt: skip


@pytest.fixture
def reply() -> InferReply:
    """Two outputs."""
    return InferReply(outputs=[to_tensor(name, np.array([[1, 2]], np.int32)) for name in "yz"])


def test_classes_take_the_place_of_what_was_asked_for(reply: InferReply) -> None:
    """The other output stays as it was."""
    tell_classes(reply, {"y": 1}, RECORD, "m", "1")
    assert to_array(reply.outputs[0]).tolist() == [[b"2:1:dog"]]
    assert to_array(reply.outputs[1]).tolist() == [[1, 2]]


def test_outputs_are_written_where_they_are_wanted(reply: InferReply, tmp_path: Path) -> None:
    """All, or none."""
    (tmp_path / "k").write_bytes(bytes(24))
    memory = SharedMemory(OwnNotes(), allowed=True, folder=tmp_path)
    memory.register("r", "/k", 0, 24)
    with pytest.raises(InvalidRequest, match=r"output 'z' \(7 bytes\) should be at least 8 bytes"):
        put_down(reply, {"y": Place("r", 0, 8), "z": Place("r", 16, 7)}, memory)
    assert memory.read("r", 0, 24) == bytes(24)
    put_down(reply, {"z": Place("r", 16, 8), "nobody": Place("r", 0, 0)}, memory)
    assert memory.read("r", 0, 24) == bytes(16) + reply.outputs[1].data
