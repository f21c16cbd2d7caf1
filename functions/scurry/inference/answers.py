"""Writes what the items of a batch get: bodies, payloads, replies.

Outputs above the claim-check threshold are parked under keys of their own, another for each item, for two items may
have one id; a body of Open Inference Protocol JSON or of Cluster Serving, which can refer to nothing, is parked whole.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from scurry.inference.items import Buffer
from scurry.protocols.cluster_serving import encode_reply as encode_record
from scurry.protocols.oip_json import encode_reply
from scurry.wire.infer_pb2 import InferReply, Parameter, Tensor
from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Replies, Reply
from scurry.wire.names import CLAIM_CHECK_BYTES, EGRESS, GRAPH, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scurry.endpoint.call import Call
    from scurry.inference.items import BatchItem
    from scurry.inference.layouts import LayoutCache
    from scurry.wire.names import Keys

REPLIES: Final = f"{TYPE_PREFIX}Replies"
REPLY: Final = f"{TYPE_PREFIX}Reply"
CACHE_HIT: Final = InferReply(parameters={"cache_hit": Parameter(bool_value=True)}).SerializeToString()
"""What is added to a reply that was kept from before."""
Payload = tuple[str, Buffer]
"""Key and bytes of what is to be parked."""


def write_bodies(
    items: Iterable[BatchItem], layouts: LayoutCache, keys: Keys, version: str, token: str
) -> list[Payload]:
    """Serialise every item's outputs into its body; returns what has to be parked before the replies leave.

    `token` is hexadecimal and no other call's.
    """
    payloads: list[Payload] = []
    last: tuple[int, ...] = ()
    size, before = -1, b""  # what stands before so many bytes of the last shape
    for number, item in enumerate(items):
        if item.failure is not None:
            continue
        outputs = item.outputs
        try:
            if item.request.encoding:
                key_of = partial(keys.payload_out, item.request.id, f"{token}{number:06x}")
                payloads += _whole(item, key_of, _write_text(item, layouts, version))
            elif len(outputs) == 1 and len(outputs[0][1]) <= CLAIM_CHECK_BYTES:
                shape, data = outputs[0]
                if shape is not last or len(data) != size:
                    last, size = shape, len(data)
                    before = layouts.head(0, shape, size)
                item.body = before + data + CACHE_HIT if item.cached else before + data
            else:
                key_of = partial(keys.payload_out, item.request.id, f"{token}{number:06x}")
                item.body = _body(item, layouts, key_of, payloads)
        except Exception as cause:  # an output that cannot be written is its own request's failure
            item.fail(cause)
    return payloads


def send_replies(call: Call, items: Sequence[BatchItem], model: str, version: str) -> None:
    """A reply for each item: to the egress, or to the run of a graph that waits for it."""
    replies = Replies()
    add = replies.replies.add
    for item in items:
        request = item.request
        if request.run:
            reply = Reply(run=request.run, step=request.step)
            _fill(reply, item, model, version)
            call.send(GRAPH, reply.run, REPLY, reply.SerializeToString())
        else:
            _fill(add(), item, model, version)
    if replies.replies:
        call.egress(EGRESS, REPLIES, replies.SerializeToString())


def _fill(reply: Reply, item: BatchItem, model: str, version: str) -> None:
    request = item.request
    reply.id, reply.entry, reply.model, reply.version = request.id, request.entry, model, version
    reply.reply = request.reply
    if request.encoding:
        reply.encoding = request.encoding
    if request.HasField("keep"):
        reply.keep = request.keep
    if request.bulk:
        reply.bulk = True
    if request.digest:
        reply.digest = request.digest
    if request.stream:
        reply.stream, reply.uri = request.stream, request.uri
    if item.consumed:
        reply.consumed.extend(item.consumed)
    if item.failure is None:
        reply.body = item.body
        if item.parked:
            reply.payload = item.payload
            reply.parked.extend(item.parked)
    else:
        reply.error, reply.message = item.failure.code, shortened(item.failure.message)


def _body(item: BatchItem, layouts: LayoutCache, key_of: Callable[[str], str], payloads: list[Payload]) -> bytes:
    parts: list[Buffer] = []
    parked: list[str] = []
    for at in range(len(item.outputs)) if item.wanted is None else item.wanted:
        shape, data = item.outputs[at]
        if len(data) <= CLAIM_CHECK_BYTES:
            parts += (layouts.head(at, shape, len(data)), data)
            continue
        port = layouts.outputs[at]
        key = key_of(port.name)
        if key not in parked:
            parked.append(key)
            payloads.append((key, data))
        tensor = Tensor(name=port.name, datatype=port.datatype, shape=shape, payload=key)
        parts.append(InferReply(outputs=[tensor]).SerializeToString())
    item.parked = parked
    return b"".join([*parts, CACHE_HIT] if item.cached else parts)


def _write_text(item: BatchItem, layouts: LayoutCache, version: str) -> bytes:
    """The body in an encoding that refers to nothing."""
    if item.request.encoding != ENCODING_INPUTS:
        return encode_record(layouts.outputs, item.outputs, added=item.added)
    parts: list[Buffer] = []
    for at in range(len(item.outputs)) if item.wanted is None else item.wanted:
        shape, data = item.outputs[at]
        parts += (layouts.head(at, shape, len(data)), data)
    if item.cached:
        parts.append(CACHE_HIT)
    reply = InferReply.FromString(b"".join(parts))
    return encode_reply(reply, model=item.request.model, version=version, id=item.request.id)


def _whole(item: BatchItem, key_of: Callable[[str], str], body: bytes) -> list[Payload]:
    """Give an item its body; what has to be parked for that."""
    if len(body) <= CLAIM_CHECK_BYTES:
        item.body = body
        return []
    item.payload = key_of("reply")
    item.parked = [item.payload]
    return [(item.payload, body)]
