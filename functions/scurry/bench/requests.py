"""What a load generator sends: one request per model, written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from scurry.protocols.oip_pb2 import ModelInferRequest
from scurry.redis.connection import pack
from scurry.wire.errors import NotFound
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES, Keys
from scurry.wire.tensors import DTYPES, is_float, to_bytes

ID_BYTES: Final = 24
"""Every request id of a run has this length, so that a command is written once and only its id changes. Ids look like
those that our client makes."""

SLOT: Final = b"\x1a" * ID_BYTES
"""Stands in a prepared command where the id goes; no tensor name and no length contains it."""

Dimensions = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """One tensor that a model takes; -1 is a free dimension."""

    name: str
    datatype: str
    shape: Dimensions

    def filled(self, rows: int, size: int) -> Dimensions:
        """The shape to send: `rows` for a free batch dimension, the last free one sized for `size` bytes a row."""
        shape = [rows if at == 0 and dim < 0 else dim for at, dim in enumerate(self.shape)]
        free = [at for at, dim in enumerate(shape) if dim < 0]
        for at in free:
            shape[at] = 1
        if free and size:
            one_row = int(np.prod(shape[1:])) * DTYPES[self.datatype].itemsize
            shape[free[-1]] = max(1, size // one_row)
        return tuple(shape)


@dataclass(frozen=True, slots=True)
class Subject:
    """One model under load and the tensors of the request it gets."""

    name: str
    version: str
    tensors: tuple[tuple[str, str, Dimensions, bytes], ...]  # name, datatype, shape, bytes

    @property
    def size(self) -> int:
        """Bytes of tensors in one request."""
        return sum(len(data) for *_, data in self.tensors)


def subject(
    name: str, version: str, inputs: Sequence[Input], *, rows: int = 1, size: int = 0, seed: int = 0
) -> Subject:
    """A request with random numbers for every input of a model."""
    numbers = np.random.default_rng(seed)
    tensors = []
    for one in inputs:
        shape = one.filled(rows, size)
        values = numbers.random(shape) if is_float(DTYPES[one.datatype]) else numbers.integers(0, 2, shape)
        tensors.append((one.name, one.datatype, shape, to_bytes(np.asarray(values), one.datatype)))
    return Subject(name, version, tuple(tensors))


def inputs_of(record: Mapping[str, Any], version: str) -> list[Input]:
    """The inputs of a model's version (else of its newest ready one) from the record in the registry's view."""
    ready = [one for one in record["versions"] if one["state"] == "ready" and version in ("", one["version"])]
    if not ready:
        raise NotFound("version_not_found", f"Model {record.get('model')!r} has no version {version!r} that is ready.")
    return [Input(one["name"], one["datatype"], tuple(one["shape"])) for one in ready[-1]["signature"]["inputs"]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request over Redis, cut where its id goes: `id.join(pieces)` is what is written."""

    entry: list[bytes]
    parked: tuple[tuple[list[bytes], bytes], ...]  # keys and what lies under them


def prepare(subject: Subject, keys: Keys, reply: str, partitions: int = 1) -> Prepared:
    """A request; tensors above the claim-check threshold are parked under its id, as our client does."""
    request, parked = InferRequest(), []
    for name, datatype, shape, data in subject.tensors:
        tensor = Tensor(name=name, datatype=datatype, shape=shape)
        if len(data) > CLAIM_CHECK_BYTES:
            tensor.payload = keys.payload_in(SLOT.decode(), name)
            parked.append((tensor.payload.encode().split(SLOT), data))
        else:
            tensor.data = data
        request.inputs.append(tensor)
    fields: list[str | bytes] = ["model", subject.name, "id", SLOT, "reply", reply, "keep", "0"]
    if subject.version:
        fields += ["version", subject.version]
    stream = keys.requests(subject.name, partitions)
    entry = b"".join(pack("XADD", stream, "*", *fields, "request", request.SerializeToString()))
    return Prepared(entry.split(SLOT), tuple(parked))


def grpc_message(subject: Subject) -> bytes:
    """One ModelInferRequest with raw tensors."""
    request = ModelInferRequest(model_name=subject.name, model_version=subject.version)
    for name, datatype, shape, data in subject.tensors:
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append(data)
    return request.SerializeToString()


def http_request(subject: Subject, host: str, *, lists: bool = False, api_key: str = "") -> bytes:
    """One Open Inference Protocol request, head and body: raw tensors behind the JSON, or `lists` in it."""
    document: dict[str, Any] = {"inputs": [_described(tensor, lists) for tensor in subject.tensors]}
    special, tail = "Content-Type: application/json\r\n", b""
    if not lists:
        document["parameters"] = {"binary_data_output": True}
        tail = b"".join(data for *_, data in subject.tensors)
    json = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    if not lists:
        special = f"Content-Type: application/octet-stream\r\nInference-Header-Content-Length: {len(json)}\r\n"
    if api_key:
        special += f"Authorization: Bearer {api_key}\r\n"
    version = f"/versions/{subject.version}" if subject.version else ""
    head = (
        f"POST /v2/models/{subject.name}{version}/infer HTTP/1.1\r\nHost: {host}\r\n"
        f"{special}Content-Length: {len(json) + len(tail)}\r\n\r\n"
    )
    return head.encode() + json + tail


def _described(tensor: tuple[str, str, Dimensions, bytes], lists: bool) -> dict[str, Any]:
    name, datatype, shape, data = tensor
    described: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
    if lists:
        return described | {"data": np.frombuffer(data, DTYPES[datatype])}
    return described | {"parameters": {"binary_data_size": len(data)}}


def zipf_choices(count: int, exponent: float, draws: int, seed: int = 0) -> list[int]:
    """Which of `count` models each request is for: model k in proportion to 1/(k+1)^exponent; 0 is uniform."""
    weights = 1.0 / np.arange(1, count + 1) ** exponent
    chosen: list[int] = np.random.default_rng(seed).choice(count, draws, p=weights / weights.sum()).tolist()
    return chosen
