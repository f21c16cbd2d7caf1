"""Outputs as a caller wants them: by their classes, in shared memory."""

from __future__ import annotations

from collections.abc import Mapping

from scurry.gateway.classification import classify, labels_of
from scurry.gateway.describe import Record, version_of
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols.oip_extensions import Place
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply


def tell_classes(reply: InferReply, classes: Mapping[str, int], record: Record, name: str, version: str) -> None:
    """Put the largest classes in place of the outputs that they are wanted of. Raises `InvalidRequest`."""
    batched = bool((version_of(record, name, version).get("signature") or {}).get("batched"))
    for tensor in reply.outputs:
        if tensor.name in classes:
            labels = labels_of(record, name, version, tensor.name)
            tensor.CopyFrom(classify(tensor, classes[tensor.name], labels, batched=batched))


def put_down(reply: InferReply, places: Mapping[str, Place], memory: SharedMemory) -> None:
    """Write outputs where they are wanted, if all of them have room. Raises `InvalidRequest`."""
    wanted = [(tensor, places[tensor.name]) for tensor in reply.outputs if tensor.name in places]
    for tensor, place in wanted:
        size = len(tensor.data)
        if size > place.byte_size:
            said = f"shared memory size specified with the request for output '{tensor.name}' ({place.byte_size} bytes)"
            raise InvalidRequest("bad_request", f"{said} should be at least {size} bytes to hold the results")
    for tensor, place in wanted:
        memory.write(place.region, place.offset, tensor.data)
