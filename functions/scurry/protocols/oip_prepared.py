"""Requests and replies of which only the tensors' bytes are missing.

A caller sends the same JSON with every request of a shape. What it comes to is worked out once; then a request is the
bytes before each tensor and the tensor itself, which is copied once, into the message, or not at all when it is parked.
Where the tensor stands in the JSON, only its list of numbers is read.
Layout: protos/scurry/wire/infer.proto and https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Final

import numpy as np

from scurry.protocols import oip_json
from scurry.protocols.oip_binary import BinaryCall, BinaryOutputs
from scurry.protocols.oip_tensors import content_of, jsonable
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import DATA_TAG, DTYPES, before_data, varint

KNOWN: Final = 1024
"""How many are kept; with more of them, all are forgotten and worked out anew."""
LONGEST: Final = 4096
"""Bytes of JSON that are worth it."""
DATA_KEY: Final = b'"data":'
"""The key of a tensor's elements, as it is mostly written."""
BRACKETS: Final = 4096
"""In a list with more of them its end is not looked for."""
_ANY_DATA_KEY: Final = re.compile(rb'"data"\s*:')
_BRACKET: Final = re.compile(rb"[][]")

Parked = list[tuple[str, memoryview]]


class PreparedCall:
    """What one JSON asks for."""

    __slots__ = ("_inputs", "_rest", "binary", "priority", "size", "timeout_us")

    def __init__(self, call: BinaryCall, timeout_us: int, priority: int = 0) -> None:
        request = call.request
        self._inputs = [_Input(tensor) for tensor in request.inputs]
        self._rest = InferRequest(outputs=request.outputs, parameters=request.parameters).SerializeToString()
        self.binary: BinaryOutputs = call.binary
        self.timeout_us, self.priority = timeout_us, priority
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

    def find(self, json: bytes, tail: memoryview) -> tuple[PreparedCall, memoryview] | None:
        """What this JSON comes to, and the bytes behind it, if that is known and they are as many."""
        found = self._known.get(json)
        return (found, tail) if found is not None and found.size == len(tail) else None

    def keep(self, json: bytes, call: BinaryCall, timeout_us: int, priority: int = 0) -> None:
        """Remember what a JSON came to, if it may come again."""
        if call.raw and not call.id and len(json) <= LONGEST:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[json] = PreparedCall(call, timeout_us, priority)

    def __repr__(self) -> str:
        return f"<PreparedCalls {len(self._known)} known>"


class PreparedJson:
    """JSON seen lately that holds one tensor of numbers, by what stands before and behind those.

    A key `data` that is written without escapes, once, and nothing escaped beside it: then another list in place of
    the first changes the tensor and nothing else.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, Tensor, PreparedCall]] = {}

    def find(self, body: bytes) -> tuple[PreparedCall, memoryview] | None:
        """What a body comes to and its tensor's bytes, if one like it was seen. Raises `InvalidRequest`."""
        start = body.find(DATA_KEY) + len(DATA_KEY)
        found = self._known.get(body[:start])
        if found is None or not body.endswith(found[0]):
            return None
        behind, tensor, call = found
        numbers = oip_json.list_in(body[start : len(body) - len(behind)])
        if numbers is None:
            return None
        return call, memoryview(content_of(tensor.name, tensor.datatype, list(tensor.shape), numbers))

    def keep(self, body: bytes, call: BinaryCall, timeout_us: int, priority: int = 0) -> None:
        """Remember what a body came to, if one like it may come."""
        if len(call.request.inputs) != 1 or call.id or len(_ANY_DATA_KEY.findall(body)) != 1 or DATA_KEY not in body:
            return
        start = body.find(DATA_KEY) + len(DATA_KEY)
        end = _end_of_list(body, start)
        before, behind, tensor = body[:start], body[end:], call.request.inputs[0]
        if len(before) + len(behind) > LONGEST or b"\\" in before or b"\\" in behind:
            return
        if tensor.datatype == "BYTES" or not tensor.data or oip_json.list_in(body[start:end]) is None:
            return
        if len(self._known) >= KNOWN:
            self._known.clear()
        named = Tensor(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        self._known[before] = behind, named, PreparedCall(call, timeout_us, priority)

    def __repr__(self) -> str:
        return f"<PreparedJson {len(self._known)} known>"


class PreparedReplies:
    """The JSON of replies with one output, by what stands before the output's bytes.

    A worker writes those last: two replies of one model and version that are equal before them and of equal length
    differ in nothing else.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bool, bytes, bytes, int], tuple[bytes, bytes, str]] = {}

    def find(
        self, model: bytes, version: bytes, raw: bytes, *, binary: bool = True
    ) -> tuple[bytes, list[bytes]] | None:
        """The JSON of a reply and the output's bytes that go behind it, if one like it was seen."""
        found = self._known.get((binary, model, version, len(raw)))
        if found is None or not raw.startswith(found[0]):
            return None
        before, json, datatype = found
        data = raw[len(before) :]
        return (json, [data]) if binary else (json + _listed(datatype, data), [])

    def keep(
        self, model: bytes, version: bytes, raw: bytes, reply: InferReply, json: bytes, *, binary: bool = True
    ) -> None:
        """Remember what a reply came to, if it is one output and nothing behind its bytes."""
        if len(reply.outputs) != 1 or reply.parameters:
            return
        datatype, data = reply.outputs[0].datatype, reply.outputs[0].data
        if not data or not raw.endswith(DATA_TAG + varint(len(data)) + data):
            return
        if not binary:
            if datatype not in DTYPES or not json.endswith(behind := _listed(datatype, data)):
                return
            json = json[: len(json) - len(behind)]
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[binary, model, version, len(raw)] = raw[: len(raw) - len(data)], json, datatype

    def __repr__(self) -> str:
        return f"<PreparedReplies {len(self._known)} known>"


def _end_of_list(body: bytes, start: int) -> int:
    """Where the list of numbers that begins here ends; of very many lists in a list nothing is remembered."""
    depth = 0
    for bracket in islice(_BRACKET.finditer(body, start), BRACKETS):
        depth += 1 if bracket[0] == b"[" else -1
        if depth <= 0:
            return bracket.end()
    return start


def _listed(datatype: str, data: bytes) -> bytes:
    """How the JSON of a reply ends that has these numbers for its last output."""
    array = np.frombuffer(data, DTYPES[datatype])
    numbers = oip_json.dump(array if datatype != "BF16" else jsonable(array))
    if b"null" in numbers:  # that is what becomes of NaN and infinity
        numbers = oip_json.dump(jsonable(array))
    return DATA_KEY + numbers + b"}]}"


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
