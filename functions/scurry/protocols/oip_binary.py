"""Triton's binary tensor extension: JSON first, raw tensors behind it.

`Inference-Header-Content-Length` says where the JSON ends. Tensors follow in the order of the inputs (outputs) that
carry `parameters.binary_data_size`. Views over the body go into the document; the only copy is the one into protobuf.
Inputs may lie in shared memory instead, and outputs go there: who decodes a call reads it, who encodes a reply has
written it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from scurry.protocols import oip_json
from scurry.protocols.oip_extensions import REGION, Place, classes_of, place_of
from scurry.protocols.oip_tensors import Document, brief, output_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor

HEADER: Final = "Inference-Header-Content-Length"
SHARED: Final = REGION.encode()
"""What stands in the JSON of a call with shared memory."""

ReadPlace = Callable[[Place], memoryview]
"""Reads a tensor from shared memory. Raises `InvalidRequest`."""


@dataclass(frozen=True, slots=True)
class BinaryOutputs:
    """Which outputs the caller wants in binary, as classes, or in shared memory."""

    every: bool = False
    named: dict[str, bool] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def is_uncommon(self) -> bool:
        """Whether some output is wanted as classes, or in shared memory."""
        return bool(self.classes or self.places)

    def is_json(self, output: Tensor) -> bool:
        """Whether an output's elements are wanted in the JSON."""
        return output.name not in self and output.name not in self.places

    def json_bytes(self, reply: InferReply) -> int:
        """How many bytes of a reply are to be told as JSON, at most; 0 where all of it is binary."""
        return reply.ByteSize() if any(map(self.is_json, reply.outputs)) else 0

    def __contains__(self, output: str) -> bool:
        return self.named.get(output, self.every)


class BinaryCall(NamedTuple):
    """What a body asks for: the request, the caller's own `id`, and how to write the answer.

    `raw` says that every input is behind the JSON: another body with the same JSON differs in those bytes only.
    `shared` says that some input lies in shared memory.
    """

    request: InferRequest
    id: str
    binary: BinaryOutputs
    raw: bool = False
    shared: bool = False


def decode_call(body: bytes, header_length: str | None, read: ReadPlace | None = None) -> BinaryCall:
    """What a body with that header asks for, `read` getting what lies elsewhere. Raises `InvalidRequest`."""
    document = split(body, header_length)
    shared = _read_shared(document, read)
    echo = document.get("id")
    if echo is not None and not isinstance(echo, str):
        raise InvalidRequest("bad_request", "Field `id` must be a text.")
    binary = wanted(document)
    request = oip_json.request_of(document)
    raw = header_length is not None and all(isinstance(entry["data"], memoryview) for entry in document["inputs"])
    return BinaryCall(request, echo or "", binary, raw and not shared, shared)


def encode_reply(
    reply: InferReply,
    *,
    model: str,
    version: str,
    id: str = "",  # noqa: A002
    binary: BinaryOutputs,
) -> tuple[bytes, list[bytes]]:
    """The JSON of a reply and the raw tensors that go behind it (none: the JSON is all)."""
    tail: list[bytes] = []
    outputs: list[Document] = []
    for tensor in reply.outputs:
        if tensor.name in binary.places:
            place = binary.places[tensor.name].told(len(tensor.data))
            outputs.append(_bare(tensor, place))
        elif tensor.name in binary:
            data = tensor.data
            outputs.append(_bare(tensor, {"binary_data_size": len(data)}))
            tail.append(data)
        else:
            outputs.append(output_of(tensor))
    document = oip_json.reply_head(reply, model=model, version=version, id=id)
    document["outputs"] = outputs
    return oip_json.dump(document), tail


def json_length(body: bytes, header_length: str | None) -> int:
    """Where the JSON of a body ends. Raises `InvalidRequest`."""
    if header_length is None:
        return len(body)
    digits = header_length.isascii() and header_length.isdecimal() and len(header_length) < 16
    length = int(header_length) if digits else -1
    if not 0 <= length <= len(body):
        raise InvalidRequest("bad_request", f"Header {HEADER} must be a number from 0 to the body's {len(body)} bytes.")
    return length


def split(body: bytes, header_length: str | None, field: str = "inputs") -> Document:
    """The JSON object of a body, each raw tensor put into its input (output) as `data`. Raises `InvalidRequest`."""
    length = json_length(body, header_length)
    view = memoryview(body)
    document = oip_json.load(view[:length])
    _attach(document, view[length:], field)
    return document


def shared_bytes(body: bytes, header_length: str | None) -> int:
    """How many bytes of a call's inputs lie in shared memory. Raises `InvalidRequest`."""
    document = oip_json.load(memoryview(body)[: json_length(body, header_length)])
    inputs = oip_json.objects(document, "inputs")
    places = [place_of(oip_json.parameters(entry, "Tensor"), oip_json.named(entry, "Tensor")) for entry in inputs]
    return sum(place.byte_size for place in places if place is not None)


def wanted(document: Document) -> BinaryOutputs:
    """In which form to answer each output. Raises `InvalidRequest`."""
    every = _flag(oip_json.parameters(document).pop("binary_data_output", False), "binary_data_output")
    outputs = oip_json.objects(document, "outputs")
    if not outputs:
        return BinaryOutputs(every)
    named: dict[str, bool] = {}
    classes: dict[str, int] = {}
    places: dict[str, Place] = {}
    for entry in outputs:
        name, found, whose = entry.get("name"), oip_json.parameters(entry, "Output"), oip_json.named(entry, "Output")
        if not isinstance(name, str) or not found:
            continue
        if "binary_data" in found:
            named[name] = _flag(found["binary_data"], "binary_data")
        if count := classes_of(found, whose):
            classes[name] = count
        if (place := place_of(found, whose)) is not None:
            places[name] = place
    return BinaryOutputs(every, named, classes, places)


def _attach(document: Document, tail: memoryview, field: str) -> None:
    """Cut the tail into the tensors that ask for a piece of it; every byte must belong to one."""
    at = 0
    for entry in oip_json.objects(document, field):
        size = oip_json.parameters(entry, "Tensor").get("binary_data_size")
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(tail) - at:
            whose, left = oip_json.named(entry, "Tensor"), len(tail) - at
            sentence = f"{whose} has binary_data_size {brief(size)}, but {left} bytes follow the JSON."
            raise InvalidRequest("bad_request", sentence)
        if entry.get("data"):
            sentence = f"{oip_json.named(entry, 'Tensor')} has `data`, and lies behind the JSON: one of them only."
            raise InvalidRequest("bad_request", sentence)
        entry["data"] = tail[at : at + size]
        at += size
    if at != len(tail):
        raise InvalidRequest("bad_request", f"{len(tail) - at} bytes behind the JSON belong to no tensor.")


def _read_shared(document: Document, read: ReadPlace | None) -> bool:
    """Put each tensor that lies in shared memory into its input as `data`; whether there was one."""
    found = False
    for entry in oip_json.objects(document, "inputs"):
        whose = oip_json.named(entry, "Tensor")
        place = place_of(oip_json.parameters(entry, "Tensor"), whose)
        if place is None:
            continue
        if read is None:
            raise InvalidRequest("bad_request", f"{whose} has {REGION!r}, and no shared memory is read here.")
        if "data" in entry:
            raise InvalidRequest("bad_request", f"{whose} has data, and lies in shared memory: one of them only.")
        entry["data"], found = read(place), True
    return found


def _bare(tensor: Tensor, parameters: Document) -> Document:
    """An output whose bytes are elsewhere."""
    shape = list(tensor.shape)
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": shape, "parameters": parameters}


def _flag(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidRequest("bad_request", f"Parameter {name!r} must be true or false.")
