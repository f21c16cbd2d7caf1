"""Requests over gRPC of which only the tensor's bytes are new.

A caller sends the same names and shapes again and again, and protobuf writes a message's fields in their order: the raw
contents come last. What stands before them is worked out once; then a request is that and the bytes behind.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.protocols.oip_grpc import RAW_TAG, InferMessage
from scurry.protocols.oip_prepared import KNOWN, LONGEST, PreparedCall
from scurry.wire.infer_pb2 import InferRequest

LARGEST: Final = 1 << 20
"""Messages above this cost so much that remembering them saves nothing."""


class PreparedInfer(NamedTuple):
    """What one beginning of a message asks for, and of whom."""

    model: str
    version: str
    call: PreparedCall


class PreparedInfers:
    """Those of the beginnings seen lately; of messages with one tensor, which is raw, and nothing that is echoed."""

    def __init__(self) -> None:
        self._known: dict[bytes, PreparedInfer] = {}

    def find(self, message: bytes) -> tuple[PreparedInfer, memoryview] | None:
        """What a message asks for and its tensor's bytes, if one like it was seen."""
        end = _start_of_raw(message)
        if end < 0:
            return None
        found = self._known.get(message[:end])
        if found is None:
            return None
        start = _behind_length(message, end + 1)
        return (found, memoryview(message)[start:]) if len(message) - start == found.call.size else None

    def keep(self, message: bytes, asked: InferMessage, timeout_us: int, priority: int) -> None:
        """Remember what a message came to, if one like it may come. `asked` has not been written yet."""
        end = _start_of_raw(message)
        if not 0 <= end <= LONGEST or len(message) > LARGEST or len(asked.contents) != 1:
            return
        if asked.id or asked.of_inputs or asked.of_outputs:
            return
        content = asked.contents[0]
        if _behind_length(message, end + 1) + len(content) != len(message):
            return
        whole = InferRequest()
        whole.CopyFrom(asked.request)
        whole.inputs[0].data = bytes(content)
        if len(self._known) >= KNOWN:
            self._known.clear()
        call = PreparedCall(BinaryCall(whole, "", BinaryOutputs(True), raw=True), timeout_us, priority)
        self._known[message[:end]] = PreparedInfer(asked.model, asked.version, call)

    def __repr__(self) -> str:
        return f"<PreparedInfers {len(self._known)} known>"


def _start_of_raw(message: bytes) -> int:
    """Where the raw contents of a message begin; -1 where they are not soon to be found."""
    at, end = 0, min(len(message), LONGEST)
    while at + 1 < end:
        if message[at] == RAW_TAG:
            return at
        size, start = message[at + 1], at + 2
        if size >= 0x80 and start < end:
            size, start = size & 0x7F | message[start] << 7, start + 1
            if size >= 0x4000:
                return -1
        at = start + size
    return -1


def _behind_length(message: bytes, at: int) -> int:
    """Where the bytes begin whose length stands here."""
    end = len(message)
    while at < end and message[at] >= 0x80:
        at += 1
    return at + 1
