"""Open Inference Protocol v2 JSON to and from the wire's messages."""

from __future__ import annotations

from typing import Any, Final

import orjson

from scurry.protocols.oip_tensors import Document, add_tensor, brief, output_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Parameter
from scurry.wire.limits import OUTPUTS
from scurry.wire.tensors import Array

FIELDS: Final = ("id", "inputs", "outputs", "parameters", "model_name", "model_version")
"""What a request may have; the last two, which some clients repeat, stand in the path already."""
TENSOR_FIELDS: Final = {
    "inputs": dict.fromkeys(("name", "datatype", "shape", "parameters", "data")),
    "outputs": dict.fromkeys(("name", "datatype", "shape", "parameters")),
}
"""What each of its tensors may have; of an output, whose metadata some clients repeat, only the name counts."""


def decode_request(body: bytes) -> InferRequest:
    """The request that a JSON body asks for. Raises `InvalidRequest`."""
    return request_of(load(body))


def load(body: bytes | bytearray | memoryview) -> Document:
    """The JSON object in `body`. Raises `InvalidRequest` when it is anything else.

    orjson refuses more than 1,024 brackets within brackets; nothing here climbs down after them.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise InvalidRequest("bad_request", f"The body is not JSON: {cause}.") from None
    if not isinstance(document, dict):
        raise InvalidRequest("bad_request", "The body must be a JSON object.")
    return document


def parsing_bytes(body: bytes, end: int) -> int:
    """Memory that parsing the first `end` bytes of a JSON body takes at most, told by what stands in them."""
    commas, quotes = body.count(b",", 0, end), body.count(b'"', 0, end)
    return 4 * end + 96 * commas + 40 * quotes + 128 * body.count(b"[", 0, end) + 320 * body.count(b"{", 0, end)


def request_of(document: Document) -> InferRequest:
    """The request in a JSON object. Raises `InvalidRequest`."""
    strange = next((field for field in document if field not in FIELDS), None)
    if strange is not None:
        raise InvalidRequest("bad_request", f"Field {brief(strange)} is not known; known are {', '.join(FIELDS)}.")
    inputs = objects(document, "inputs")
    if document.get("inputs") is None:
        raise InvalidRequest("bad_request", "Field `inputs` must be a list of tensors; of a model without any, empty.")
    request = InferRequest()
    names: set[str] = set()
    for position, entry in enumerate(inputs):
        name = _name(entry, "inputs", position)
        if name in names:
            raise InvalidRequest("bad_request", f"Field `inputs` has tensor {brief(name)} twice.")
        names.add(name)
        add_tensor(request, name, entry)
    request.outputs.extend(_outputs(document))
    for key, value in parameters(document).items():
        set_parameter(request.parameters[key], key, value)
    return request


def encode_reply(reply: InferReply, *, model: str, version: str, id: str = "") -> bytes:  # noqa: A002
    """The JSON body of a reply. Raises `InvalidRequest` for BYTES that are not UTF-8: those need a binary reply."""
    document = reply_head(reply, model=model, version=version, id=id)
    document["outputs"] = [output_of(tensor) for tensor in reply.outputs]
    return dump(document)


def list_in(text: bytes) -> list[Any] | None:
    """The list that a text is in JSON; None when it is anything else."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, list) else None


def dump(document: Document | Array | list[Any]) -> bytes:
    """A JSON body; arrays become lists."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def reply_head(reply: InferReply, *, model: str, version: str, id: str = "") -> Document:  # noqa: A002
    """A reply's object without its outputs."""
    document: Document = {"model_name": model, "model_version": version}
    if id:
        document["id"] = id
    if reply.parameters:
        document["parameters"] = {key: _value(parameter) for key, parameter in reply.parameters.items()}
    return document


def objects(document: Document, field: str) -> list[Document]:
    """The list of objects in a field; an absent field is an empty list."""
    entries = document.get(field)
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidRequest("bad_request", f"Field `{field}` must be a list of objects.")
    return entries


def parameters(owner: Document, kind: str = "") -> Document:
    """The `parameters` of a request, or of a `kind` of tensor; absent ones are an empty object."""
    found = owner.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidRequest("bad_request", f"{named(owner, kind)} has `parameters` that are not an object.")
    return found


def named(owner: Document, kind: str) -> str:
    """A tensor of some kind, or without one the request, as it stands in a sentence."""
    return f"{kind} {brief(owner.get('name'))}" if kind else "The request"


def set_parameter(parameter: Parameter, key: str, value: object) -> None:
    """Put a JSON value into a parameter."""
    if isinstance(value, bool):
        parameter.bool_value = value
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        parameter.int_value = value
    elif isinstance(value, float):
        parameter.double_value = value
    elif isinstance(value, str):
        parameter.string_value = value
    else:
        raise InvalidRequest("bad_request", f"Parameter {brief(key)} must be true, false, a 64-bit number or a text.")


def _outputs(document: Document) -> dict[str, None]:
    """The names of the outputs that are asked for, in their order."""
    entries = objects(document, "outputs")
    if len(entries) > OUTPUTS:
        raise InvalidRequest("bad_request", f"Field `outputs` names {len(entries)} outputs; {OUTPUTS} are the limit.")
    names: dict[str, None] = {}
    for position, entry in enumerate(entries):
        name = _name(entry, "outputs", position)
        if name in names:
            raise InvalidRequest("bad_request", f"Field `outputs` has {brief(name)} twice.")
        names[name] = None
    return names


def _name(entry: Document, field: str, position: int) -> str:
    """The name of a tensor, which has no fields but those that are known. Raises `InvalidRequest`."""
    if not entry.keys() <= TENSOR_FIELDS[field].keys():
        strange = brief(next(each for each in entry if each not in TENSOR_FIELDS[field]))
        sentence = f"Field `{field}[{position}]` has {strange}, which is not known"
        raise InvalidRequest("bad_request", f"{sentence}; known are {', '.join(TENSOR_FIELDS[field])}.")
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("bad_request", f"Field `{field}[{position}].name` must be a text that is not empty.")
    return name


def _value(parameter: Parameter) -> object:
    which = parameter.WhichOneof("value")
    return None if which is None else getattr(parameter, which)
