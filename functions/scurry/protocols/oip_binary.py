"""Triton's binary tensor extension: JSON first, raw tensors behind it.

`Inference-Header-Content-Length` says where the JSON ends. Tensors follow in the order of the inputs (outputs) that
carry `parameters.binary_data_size`. Views over the body go into the document; the only copy is the one into protobuf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from scurry.protocols import oip_json
from scurry.protocols.oip_tensors import Document, brief, output_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest

HEADER: Final = "Inference-Header-Content-Length"
REFUSED: Final = ("shared_memory_region", "classification")
"""Triton's other per-tensor parameters, which would change the answer: better refused than ignored."""


@dataclass(frozen=True, slots=True)
class BinaryOutputs:
    """Which outputs the caller wants in binary."""

    every: bool = False
    named: dict[str, bool] = field(default_factory=dict)

    def __contains__(self, output: str) -> bool:
        return self.named.get(output, self.every)


class BinaryCall(NamedTuple):
    """What a body asks for: the request, the caller's own `id`, and how to write the answer.

    `raw` says that every input is behind the JSON: another body with the same JSON differs in those bytes only.
    """

    request: InferRequest
    id: str
    binary: BinaryOutputs
    raw: bool = False


def decode_call(body: bytes, header_length: str | None) -> BinaryCall:
    """What a body with that header asks for. Raises `InvalidRequest`."""
    document = split(body, header_length)
    echo = document.get("id")
    if echo is not None and not isinstance(echo, str):
        raise InvalidRequest("bad_request", "Field `id` must be a text.")
    binary = wanted(document)
    request = oip_json.request_of(document)
    raw = header_length is not None and all(isinstance(entry["data"], memoryview) for entry in document["inputs"])
    return BinaryCall(request, echo or "", binary, raw)


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
        if tensor.name in binary:
            data = tensor.data
            outputs.append(
                {
                    "name": tensor.name,
                    "datatype": tensor.datatype,
                    "shape": list(tensor.shape),
                    "parameters": {"binary_data_size": len(data)},
                }
            )
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


def wanted(document: Document) -> BinaryOutputs:
    """Which outputs to answer in binary. Raises `InvalidRequest`."""
    every = _flag(oip_json.parameters(document).pop("binary_data_output", False), "binary_data_output")
    outputs = oip_json.objects(document, "outputs")
    if not outputs:
        return BinaryOutputs(every)
    named: dict[str, bool] = {}
    for entry in outputs:
        name = entry.get("name")
        found = _parameters(entry, "Output")
        if isinstance(name, str) and "binary_data" in found:
            named[name] = _flag(found["binary_data"], "binary_data")
    return BinaryOutputs(every, named)


def _attach(document: Document, tail: memoryview, field: str) -> None:
    """Cut the tail into the tensors that ask for a piece of it; every byte must belong to one."""
    at = 0
    for entry in oip_json.objects(document, field):
        size = _parameters(entry, "Tensor").get("binary_data_size")
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(tail) - at:
            whose, left = oip_json.named(entry, "Tensor"), len(tail) - at
            sentence = f"{whose} has binary_data_size {brief(size)}, but {left} bytes follow the JSON."
            raise InvalidRequest("bad_request", sentence)
        entry["data"] = tail[at : at + size]
        at += size
    if at != len(tail):
        raise InvalidRequest("bad_request", f"{len(tail) - at} bytes behind the JSON belong to no tensor.")


def _parameters(entry: Document, kind: str) -> Document:
    found = oip_json.parameters(entry, kind)
    for name in REFUSED:
        if found.get(name):
            sentence = f"{oip_json.named(entry, kind)} has parameter {name!r}, which this server does not offer."
            raise InvalidRequest("bad_request", sentence)
    return found


def _flag(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidRequest("bad_request", f"Parameter {name!r} must be true or false.")
