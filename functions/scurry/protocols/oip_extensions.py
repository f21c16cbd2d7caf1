"""What Triton's parameters of a tensor ask for beyond its form.

Shared memory (`shared_memory_region`, `shared_memory_byte_size`, `shared_memory_offset`) for inputs and outputs,
`classification` for outputs. Pure: the parameters are an object of plain values, whoever sent them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, Final, NamedTuple

from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import DTYPES

REGION: Final = "shared_memory_region"
CLASSES: Final = "classification"
NAMES: Final = (REGION, "shared_memory_byte_size", "shared_memory_offset", CLASSES)
"""The parameters that are read here."""


class Place(NamedTuple):
    """Where a tensor lies, or goes to, in shared memory."""

    region: str
    offset: int
    byte_size: int

    def told(self, size: int) -> dict[str, Any]:
        """The parameters that say so of `size` bytes."""
        offset = {"shared_memory_offset": self.offset} if self.offset else {}
        return {REGION: self.region, **offset, "shared_memory_byte_size": size}


def place_of(parameters: Mapping[str, Any], whose: str) -> Place | None:
    """Where a tensor lies; None without such a parameter. Raises `InvalidRequest`."""
    region = parameters.get(REGION)
    if region is None:
        return None
    if not isinstance(region, str) or not region:
        raise InvalidRequest("bad_request", f"{whose} needs {REGION!r}, the name of a region.")
    offset = _whole(parameters.get("shared_memory_offset", 0), "shared_memory_offset", whose)
    return Place(region, offset, _whole(parameters.get("shared_memory_byte_size"), "shared_memory_byte_size", whose))


def classes_of(parameters: Mapping[str, Any], whose: str) -> int:
    """How many classes of an output are wanted; 0: the output itself. Raises `InvalidRequest`."""
    return _whole(parameters.get(CLASSES, 0), CLASSES, whose)


def raw_request(body: bytes, inputs: list[dict[str, Any]], *, batched: bool) -> InferRequest:
    """The request whose only input is the whole body; a BYTES input has it as its one element.

    `inputs` are those of the model's signature. Raises `InvalidRequest` for a model with more of them, or where the
    body does not tell the shape: one size may be open, and that of the batch, which is 1 then.
    """
    if len(inputs) != 1:
        sentence = f"A raw binary request is for models with one input, this one has {len(inputs)}: send JSON."
        raise InvalidRequest("bad_request", sentence)
    name, datatype = inputs[0]["name"], inputs[0]["datatype"]
    shape = [int(size) for size in inputs[0].get("shape", ())]
    if datatype == "BYTES":
        count, body = 1, len(body).to_bytes(4, "little") + body
    else:
        count = len(body) // DTYPES[datatype].itemsize
    request = InferRequest()
    request.inputs.add(name=name, datatype=datatype, shape=_filled(name, shape, count, batched=batched), data=body)
    sizes = request.inputs[0].shape
    if datatype != "BYTES" and prod(sizes) * DTYPES[datatype].itemsize != len(body):
        sentence = f"Tensor {name!r} is {datatype} {shape}, which the body's {len(body)} bytes cannot be."
        raise InvalidRequest("input_shape", sentence)
    return request


def _filled(name: str, shape: list[int], count: int, *, batched: bool) -> list[int]:
    """The shape of so many elements."""
    sizes = list(shape)
    if batched and sizes and sizes.count(-1) > 1:
        sizes[0] = 1
    if sizes.count(-1) > 1:
        sentence = f"Tensor {name!r} is {shape}: a raw binary request does not tell its shape, send JSON."
        raise InvalidRequest("input_shape", sentence)
    known = prod(size for size in sizes if size != -1)
    sizes = [count // known if size == -1 and known else size for size in sizes]
    if prod(sizes) != count:
        raise InvalidRequest("input_shape", f"Tensor {name!r} is {shape}, the body has {count} elements.")
    return sizes


def _whole(value: object, name: str, whose: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidRequest("bad_request", f"{whose} needs parameter {name!r}, a whole number from 0.")
    return value
