"""Requests and replies of which only the tensors' bytes are missing.

A caller sends the same JSON with every request of a shape. What it comes to is worked out once; then a request is the
bytes before each tensor and the tensor itself, which is copied once, into the message, or not at all when it is parked.
Layout: protos/scurry/wire/infer.proto and https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import DATA_TAG, before_data, varint

KNOWN: Final = 1024
"""How many are kept; with more of them, all are forgotten and worked out anew."""
LONGEST: Final = 4096
"""Bytes of JSON that are worth it."""

Parked = list[tuple[str, memoryview]]


class PreparedCall:
    """What one JSON asks for."""

    __slots__ = ("_inputs", "_rest", "binary", "size", "timeout_us")

    def __init__(self, call: BinaryCall, timeout_us: int) -> None:
        request = call.request
        self._inputs = [_Input(tensor) for tensor in request.inputs]
        self._rest = InferRequest(outputs=request.outputs, parameters=request.parameters).SerializeToString()
        self.binary: BinaryOutputs = call.binary
        self.timeout_us = timeout_us
        self.size = sum(one.size for one in self._inputs)

    def request(self, tail: memoryview, key_of: Callable[[str], str]) -> tuple[bytes, Parked]:
        """The message with these `size` bytes of tensors, and what of them is parked under which key."""
        parts: list[bytes | memoryview] = []
        parked: Parked = []
        at = 0
        for one in self._inputs:
            data = tail[at : at + one.size]
            at += one.size
            if one.size > CLAIM_CHECK_BYTES:
                key = key_of(one.name)
                parked.append((key, data))
                parts.append(one.parked(key))
            else:
                parts += (one.before, data)
        parts.append(self._rest)
        return b"".join(parts), parked

    def __repr__(self) -> str:
        return f"<PreparedCall for {self.size} bytes>"


class PreparedCalls:
    """Those of the JSON seen lately."""

    def __init__(self) -> None:
        self._known: dict[bytes, PreparedCall] = {}

    def find(self, json: bytes, tail: int) -> PreparedCall | None:
        """What this JSON with so many bytes behind it comes to, if that is known."""
        found = self._known.get(json)
        return found if found is not None and found.size == tail else None

    def keep(self, json: bytes, call: BinaryCall, timeout_us: int) -> None:
        """Remember what a JSON came to, if it may come again."""
        if call.raw and not call.id and len(json) <= LONGEST:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[json] = PreparedCall(call, timeout_us)

    def __repr__(self) -> str:
        return f"<PreparedCalls {len(self._known)} known>"


class PreparedReplies:
    """The JSON of replies with one output in binary, by what stands before the output's bytes.

    A worker writes those last: two replies of one model and version that are equal before them and of equal length
    differ in nothing else.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes, int], tuple[bytes, bytes]] = {}

    def find(self, model: bytes, version: bytes, raw: bytes) -> tuple[bytes, list[bytes]] | None:
        """The JSON and the output's bytes of a reply, if one like it was seen."""
        found = self._known.get((model, version, len(raw)))
        if found is None or not raw.startswith(found[0]):
            return None
        return found[1], [raw[len(found[0]) :]]

    def keep(self, model: bytes, version: bytes, raw: bytes, reply: InferReply, json: bytes) -> None:
        """Remember what a reply came to, if it is one output and nothing behind its bytes."""
        if len(reply.outputs) != 1 or reply.parameters:
            return
        data = reply.outputs[0].data
        if not data or not raw.endswith(DATA_TAG + varint(len(data)) + data):
            return
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[model, version, len(raw)] = raw[: len(raw) - len(data)], json

    def __repr__(self) -> str:
        return f"<PreparedReplies {len(self._known)} known>"


class _Input:
    """One tensor up to its bytes."""

    __slots__ = ("before", "name", "size", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.name, self.size = tensor.name, len(tensor.data)
        self.tensor = Tensor(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        self.before = before_data(tensor.name, tensor.datatype, tensor.shape, self.size)

    def parked(self, key: str) -> bytes:
        """The tensor with a key in place of its bytes."""
        self.tensor.payload = key
        return InferRequest(inputs=[self.tensor]).SerializeToString()
