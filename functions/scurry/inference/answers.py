"""Writes what the members of a batch get: bodies, parcels, replies.

Outputs above the claim-check threshold are parked under keys of their own; an Open Inference Protocol body, which can
refer to nothing, is parked whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scurry.inference.members import Buffer
from scurry.protocols.oip_json import encode_reply
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferReply, Tensor
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Replies
from scurry.wire.names import CLAIM_CHECK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scurry.inference.forms import Forms
    from scurry.inference.members import Member
    from scurry.wire.names import Keys

Parcel = tuple[str, Buffer]
"""Key and bytes of what is to be parked."""


def write_bodies(members: Iterable[Member], forms: Forms, keys: Keys, version: str, token: str) -> list[Parcel]:
    """Serialise every member's outputs into its body; returns what has to be parked before the replies leave."""
    parcels: list[Parcel] = []
    head = forms.head
    for member in members:
        if member.failure is not None:
            continue
        outputs = member.outputs
        if member.request.encoding == ENCODING_INPUTS:
            key = keys.payload_out(member.request.id, token, "reply")
            parcels += _write_json(member, forms, key, version)
        elif len(outputs) == 1 and len(outputs[0][1]) <= CLAIM_CHECK_BYTES:
            shape, data = outputs[0]
            member.body = head(0, shape, len(data)) + data
        else:
            member.body = _body(member, forms, keys, token, parcels)
    return parcels


def write_replies(members: Sequence[Member], model: str, version: str) -> bytes:
    """One serialised `Replies`, a reply for each member."""
    replies = Replies()
    add = replies.replies.add
    for member in members:
        request, reply = member.request, add()
        reply.id, reply.entry, reply.model, reply.version = request.id, request.entry, model, version
        reply.reply = request.reply
        if request.encoding:
            reply.encoding = request.encoding
        if request.HasField("keep"):
            reply.keep = request.keep
        if request.bulk:
            reply.bulk = True
        if member.consumed:
            reply.consumed.extend(member.consumed)
        if member.failure is None:
            reply.body = member.body
            if member.parked:
                reply.payload = member.payload
                reply.parked.extend(member.parked)
        else:
            reply.error, reply.message = member.failure.code, member.failure.message
    return replies.SerializeToString()


def _body(member: Member, forms: Forms, keys: Keys, token: str, parcels: list[Parcel]) -> bytes:
    parts: list[Buffer] = []
    parked: list[str] = []
    for at in range(len(member.outputs)) if member.wanted is None else member.wanted:
        shape, data = member.outputs[at]
        if len(data) <= CLAIM_CHECK_BYTES:
            parts += (forms.head(at, shape, len(data)), data)
            continue
        port = forms.outputs[at]
        key = keys.payload_out(member.request.id, token, port.name)
        if key not in parked:
            parked.append(key)
            parcels.append((key, data))
        tensor = Tensor(name=port.name, datatype=port.datatype, shape=shape, payload=key)
        parts.append(InferReply(outputs=[tensor]).SerializeToString())
    member.parked = parked
    return b"".join(parts)


def _write_json(member: Member, forms: Forms, key: str, version: str) -> list[Parcel]:
    parts: list[Buffer] = []
    for at in range(len(member.outputs)) if member.wanted is None else member.wanted:
        shape, data = member.outputs[at]
        parts += (forms.head(at, shape, len(data)), data)
    try:
        reply = InferReply.FromString(b"".join(parts))
        body = encode_reply(reply, model=member.request.model, version=version, id=member.request.id)
    except ScurryError as failure:
        member.failure = failure
        return []
    if len(body) <= CLAIM_CHECK_BYTES:
        member.body = body
        return []
    member.payload, member.parked = key, [key]
    return [(key, body)]
