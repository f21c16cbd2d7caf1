"""TensorFlow Serving's JSON requests, as KServe v1 has them too.

A body holds no types and no shapes: types are those of the model's signature, shapes those of the lists. `instances`
are rows, `inputs` columns, `examples` rows of features. NaN, Infinity and -Infinity may stand as bare words, which is
no JSON, or as texts. Bytes are {"b64": "…"}.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from math import prod
from types import NoneType
from typing import Any, Final, NamedTuple

import orjson

from scurry.protocols import oip_json
from scurry.protocols.oip_tensors import Document, brief, encoded, unnested
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.limits import DIMENSIONS

Port = Mapping[str, Any]
"""An input as the registry's record shows it: `name`, `datatype`, `shape`."""

PREDICT: Final = ("signature_name", "instances", "inputs", "parameters")
EXAMPLES: Final = ("signature_name", "context", "examples", "parameters")
_WORDS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|-?Infinity|NaN', re.DOTALL)
"""Whole texts, so that what stands in them is passed over; else the words that JSON does not know."""


class Taken(NamedTuple):
    """What a model takes: its inputs (none: it does not say), and the names of the signature that is served."""

    inputs: Sequence[Port]
    signatures: Collection[str] = ("serving_default",)


class PredictCall(NamedTuple):
    """What a body asks for, and whether in rows: so it is answered."""

    request: InferRequest
    rows: bool


def decode_predict(body: bytes, taken: Taken) -> PredictCall:
    """What the body of a `:predict` asks for. Raises `InvalidRequest`."""
    document = _document(body, PREDICT, taken)
    rows = "instances" in document
    if rows == ("inputs" in document):
        sentence = "The body needs either `instances` (rows) or `inputs` (columns)"
        raise InvalidRequest("bad_request", f"{sentence}, {'not both' if rows else 'and has neither'}.")
    request = _blank(document)
    columns = _rows(document["instances"], taken) if rows else _columns(document["inputs"], taken)
    for name, value in columns.items():
        sizes, flat, types = unnested(name, value) if isinstance(value, list) else ([], [value], {type(value)})
        _add(request, name, _port_of(name, taken), shape=sizes, flat=flat, types=types)
    return PredictCall(request, rows)


def decode_examples(body: bytes, taken: Taken) -> InferRequest:
    """What the body of a `:classify` or `:regress` asks for. Raises `InvalidRequest`."""
    document = _document(body, EXAMPLES, taken)
    examples, context = document.get("examples"), document.get("context", {})
    if not isinstance(examples, list) or not examples or set(map(type, examples)) != {dict}:
        raise InvalidRequest("bad_request", "Field `examples` must be a list with at least one object of features.")
    if not isinstance(context, dict):
        raise InvalidRequest("bad_request", "Field `context` must be an object of features.")
    request = _blank(document)
    columns = _same_keys(examples, "examples")
    twice = next((name for name in context if name in columns), None)
    if twice is not None:
        raise InvalidRequest("bad_request", f"Feature {brief(twice)} is in `context` and in `examples`.")
    columns |= {name: [value] * len(examples) for name, value in context.items()}
    for name, features in columns.items():
        lists = [one if isinstance(one, list) else [one] for one in features]
        _add_feature(request, name, _port_of(name, taken), lists)
    return request


def load(body: bytes) -> Document:
    """The JSON object in a body, NaN and infinity in it made texts. Raises `InvalidRequest`."""
    try:
        document = _loaded(body)
    except orjson.JSONDecodeError as cause:
        raise InvalidRequest("bad_request", f"The body is not JSON: {cause}.") from None
    if not isinstance(document, dict):
        raise InvalidRequest("bad_request", "The body must be a JSON object.")
    return document


def _loaded(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if b"NaN" not in body and b"Infinity" not in body:
            raise
    return orjson.loads(_WORDS.sub(lambda found: found[0] if found[0][:1] == b'"' else b'"%b"' % found[0], body))


def _document(body: bytes, known: Sequence[str], taken: Taken) -> Document:
    document = load(body)
    strange = next((name for name in document if name not in known), None)
    if strange is not None:
        raise InvalidRequest("bad_request", f"Field {brief(strange)} is not known; known are {', '.join(known)}.")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise InvalidRequest("bad_request", "Field `signature_name` must be a text.")
    if signature and signature not in taken.signatures:
        have = " or ".join(taken.signatures)
        sentence = f"Field `signature_name` is {brief(signature)}; this model is served as {have}."
        raise InvalidRequest("bad_request", sentence)
    return document


def _blank(document: Document) -> InferRequest:
    request = InferRequest()
    for key, value in oip_json.parameters(document).items():
        oip_json.set_parameter(request.parameters[key], key, value)
    return request


def _rows(instances: object, taken: Taken) -> dict[str, Any]:
    """Each input's rows. Cases: 1. values of the only input; 2. objects that name them."""
    if not isinstance(instances, list) or not instances:
        raise InvalidRequest("bad_request", "Field `instances` must be a list with at least one instance.")
    if dict not in set(map(type, instances)) or not any(map(_names_inputs, instances)):
        return {_only(taken, "instances"): instances}
    if not all(map(_names_inputs, instances)):
        raise InvalidRequest("bad_request", "Field `instances` has objects that name inputs beside plain values.")
    return _same_keys(instances, "instances")


def _columns(inputs: object, taken: Taken) -> dict[str, Any]:
    """Each input's value. Cases: 1. an object that names them; 2. the value of the only input."""
    if isinstance(inputs, dict) and _names_inputs(inputs):
        if not inputs:
            raise InvalidRequest("bad_request", "Field `inputs` must name at least one input.")
        return inputs
    return {_only(taken, "inputs"): inputs}


def _names_inputs(value: object) -> bool:
    return isinstance(value, dict) and not (len(value) == 1 and isinstance(value.get("b64"), str))


def _same_keys(entries: list[Document], field: str) -> dict[str, Any]:
    """Objects turned into one list for each key, of which every object must have the same."""
    keys = entries[0].keys()
    if not keys:
        raise InvalidRequest("bad_request", f"Field `{field}[0]` names nothing.")
    for position, entry in enumerate(entries):
        if entry.keys() != keys:
            sentence = f"Field `{field}[{position}]` names {brief(sorted(entry))}, `{field}[0]` {brief(sorted(keys))}"
            raise InvalidRequest("bad_request", f"{sentence}: all must name the same.")
    return {name: [entry[name] for entry in entries] for name in keys}


def _only(taken: Taken, field: str) -> str:
    if len(taken.inputs) == 1:
        return str(taken.inputs[0]["name"])
    have = f"the model's inputs are {_named(taken)}" if taken.inputs else "the model does not say what its inputs are"
    raise InvalidRequest("input_name", f"Field `{field}` must name each input in an object: {have}.")


def _port_of(name: str, taken: Taken) -> Port | None:
    if not taken.inputs:
        return None
    for port in taken.inputs:
        if port["name"] == name:
            return port
    raise InvalidRequest("input_name", f"The model has no input {brief(name)}; its inputs are {_named(taken)}.")


def _named(taken: Taken) -> str:
    return ", ".join(repr(port["name"]) for port in taken.inputs)


def _add_feature(request: InferRequest, name: str, port: Port | None, features: list[list[Any]]) -> None:
    """Append an input of which each example has a flat list, in the shape that the model has for one."""
    sizes, flat, types = unnested(name, features)
    if len(sizes) != 2:
        raise InvalidRequest("input_rank", f"Feature {brief(name)} must be a value or a flat list of values.")
    shape = port.get("shape", ()) if port is not None else () if sizes[1] == 1 else (-1, -1)
    inner = [int(size) for size in shape[1:]]
    if len(inner) == 1 and inner[0] < 0:
        inner = sizes[1:]
    if any(size < 0 for size in inner) or prod(inner) != sizes[1]:
        sentence = f"Feature {brief(name)} has {sizes[1]} values in each example; the model's input is {list(shape)}."
        raise InvalidRequest("input_shape", sentence)
    _add(request, name, port, shape=[sizes[0], *inner], flat=flat, types=types)


def _add(
    request: InferRequest, name: str, port: Port | None, *, shape: list[int], flat: list[Any], types: set[type]
) -> None:
    if not name:
        raise InvalidRequest("input_name", "An input's name must not be empty.")
    if len(shape) > DIMENSIONS:
        sentence = f"Tensor {brief(name)} has {len(shape)} dimensions; {DIMENSIONS} are the limit."
        raise InvalidRequest("input_rank", sentence)
    if NoneType in types:
        raise InvalidRequest("input_value", f"Tensor {brief(name)} has a null; not a number is NaN.")
    datatype = _guessed(types) if port is None else str(port["datatype"])
    data = encoded(name, datatype, flat, types)
    request.inputs.add(name=name, datatype=datatype, shape=shape, data=data)


def _guessed(types: set[type]) -> str:
    """The type of elements for a model that does not say it, as TensorFlow takes plain lists."""
    if types & {str, dict}:
        return "BYTES"
    return "FP32" if float in types else "BOOL" if bool in types else "INT64"
