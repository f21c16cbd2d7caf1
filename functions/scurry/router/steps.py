"""Steps of sequences: each goes to the address of its own sequence.

Which sequence that is, is read from the parameters in the request's body, once, and only for models that keep
sequences. What is outstanding counts as away: `Done` with the lane of steps says how many are finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call
from scurry.router.answers import overloaded
from scurry.router.lanes import Lanes
from scurry.router.policy import Refusal
from scurry.router.routes import RouteTable
from scurry.router.sending import REQUESTS
from scurry.wire import addresses, sequences
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Request, Requests
from scurry.wire.names import INFERENCE

NAMELESS: Final = Refusal(
    "bad_request", "The model keeps sequences: parameter 'sequence_id' must say which one this is a step of."
)
PARKED: Final = Refusal(
    "bad_request", "The model keeps sequences, and the body is too large for its parameters to be read: park its tensors."
)


def send(
    call: Call, table: RouteTable, lanes: Lanes, requests: Sequence[Request], *, queue_ms: int
) -> list[tuple[Request, Refusal]]:
    """Each step to its sequence; returns those that cannot go, and why. Of bulk, what has no room waits in the mail."""
    refused: list[tuple[Request, Refusal]] = []
    outstanding = sum(lanes.outstanding) + lanes.counters.away
    room, sent, full = lanes.room.keep_to(queue_ms) - outstanding, 0, 0
    for request in requests:
        why = stamp(request)
        if why is not None:
            refused.append((request, why))
        elif sent >= room and not request.bulk:
            full += 1
            refused.append((request, overloaded(lanes.version, outstanding + sent)))
        else:
            sent += 1
            _send_one(call, table, lanes, request)
    table.leave(lanes.version, sent)
    lanes.count(sent)
    lanes.refuse(full)
    table.changed = True
    return refused


def _send_one(call: Call, table: RouteTable, lanes: Lanes, request: Request) -> None:
    step = Requests(requests=[request], report=True, epoch=table.epoch).SerializeToString()
    key = addresses.Sequence(call.key, lanes.version, request.sequence_id)
    call.send(INFERENCE, str(key), REQUESTS, lanes.stamp + step)


def stamp(request: Request) -> Refusal | None:
    """Note on a request which sequence it is a step of; or why that cannot be told."""
    if request.sequence_id:
        return None
    if request.payload and not request.body:
        return PARKED
    try:
        name, start, end = sequences.read(_parameters(request))
    except InvalidRequest as failure:
        return Refusal(failure.code, failure.message)
    except (DecodeError, ValueError):
        return Refusal("bad_request", "The request's body cannot be read.")
    if not name:
        return NAMELESS
    request.sequence_id, request.sequence_start, request.sequence_end = name, start, end
    return None


def _parameters(request: Request) -> Mapping[str, object]:
    """Those in the body. Raises `DecodeError` or `ValueError` for a body that is none."""
    if request.encoding == ENCODING_INPUTS:
        document = orjson.loads(request.body)
        found = document.get("parameters") if isinstance(document, dict) else None
        return found if isinstance(found, dict) else {}
    given = InferRequest.FromString(request.body).parameters
    named = ((name, given[name]) for name in sequences.PARAMETERS if name in given)
    return {name: getattr(value, value.WhichOneof("value") or "bool_value") for name, value in named}
