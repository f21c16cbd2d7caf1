"""Bodies of requests with their large tensors parked, and of replies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from google.protobuf.message import DecodeError

from scurry.client.waiting import Fields
from scurry.wire.errors import Failed, error
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.names import CLAIM_CHECK_BYTES

Parked = Sequence[tuple[str, bytes | memoryview]]
"""What lies under which key."""
KeyOf = Callable[[str, bytes], str]
"""The key for a tensor's bytes, by its name and them."""
Parameters = Mapping[str, bool | int | float | str]
"""What is told beside the tensors, `sequence_id` for instance."""

NO_RESULT: Fields = {
    b"status": b"error", b"error": b"result_not_found", b"message": b"There is no result by that id, or not any more.",
}  # fmt: skip


def park(request: InferRequest, key_of: KeyOf) -> tuple[InferRequest, Parked]:
    """The request with keys in place of large tensors, and what lies under those keys. The argument stays as it is."""
    if request.ByteSize() <= CLAIM_CHECK_BYTES or not any(is_large(tensor.data) for tensor in request.inputs):
        return request, []
    light, parked = InferRequest(outputs=request.outputs), list[tuple[str, bytes]]()
    for name, parameter in request.parameters.items():
        light.parameters[name].CopyFrom(parameter)
    for tensor in request.inputs:
        data = tensor.data
        if is_large(data):
            key = key_of(tensor.name, data)
            parked.append((key, data))
            light.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape, payload=key)
        else:
            light.inputs.append(tensor)
    return light, parked


def digest_of(data: bytes) -> str:
    """What tells a tensor's bytes from others, in 16 bytes: BLAKE2b."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def is_large(data: bytes) -> bool:
    """Whether these bytes are parked rather than sent."""
    return len(data) > CLAIM_CHECK_BYTES


def raise_error(fields: Fields) -> None:
    """Raise what a reply with status `error` says."""
    if fields.get(b"status") != b"ok":
        code = fields.get(b"error", b"internal").decode()
        raise error(code, fields.get(b"message", b"The reply carries no message.").decode())


def parse_reply(body: bytes) -> InferReply:
    """Read a serialised InferReply."""
    try:
        return InferReply.FromString(body)
    except DecodeError:
        raise Failed("internal", f"A reply of {len(body)} bytes is not an InferReply.") from None
