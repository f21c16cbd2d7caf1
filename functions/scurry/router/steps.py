"""Steps of sequences: each goes to the address of its own sequence.

Which sequence that is, is read from the parameters in the request's body, once, and only for models that keep
sequences. What is outstanding counts as away: `Done` with the lane of steps says how many are finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import orjson
from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call
from scurry.router.answers import Answers, overloaded
from scurry.router.lanes import Lanes
from scurry.router.policy import Bounds, Refusal
from scurry.router.refusing import refuse_new
from scurry.router.routes import RouteTable
from scurry.router.sending import REQUESTS
from scurry.wire import addresses, sequences
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Request, Requests

NAMELESS: Final = Refusal(
    "bad_request", "The model keeps sequences: parameter 'sequence_id' must say which one this is a step of."
)
PARKED: Final = Refusal(
    "bad_request", "The model keeps sequences, and the body is too large to be read by the way: park its tensors."
)


class Pass(Protocol):
    """What a pass of the router has that it takes to send steps."""

    call: Call
    table: RouteTable
    answers: Answers
    bounds: Bounds
    now: int


def send(routing: Pass, lanes: Lanes, requests: Sequence[Request]) -> None:
    """Each step to its sequence. Where there is no room, no sequence is begun; one that was begun goes on.

    Only so may a step that is read again after a crash go another way than the first time: a first step begins anew.
    """
    outstanding = sum(lanes.outstanding) + lanes.counters.away
    room, sent, full = lanes.room.keep_to(routing.bounds.queue_ms) - outstanding, 0, 0
    apart = lanes.apart(routing.now)
    for request in requests:
        if (why := stamp(request)) is not None:
            refuse_new(routing, lanes, request, why)
            continue
        if sent >= room and request.sequence_start and not (request.bulk or request.replayed):
            full += 1
            routing.answers.refuse(request, overloaded(lanes.version, outstanding + sent))
            continue
        sent += 1
        step = Requests(requests=[request], report=True, epoch=routing.table.epoch, solo=apart).SerializeToString()
        key = addresses.Sequence(routing.call.key, lanes.version, request.sequence_id)
        routing.call.send(lanes.target, str(key), REQUESTS, lanes.stamp + step)
    routing.table.leave(lanes.version, sent)
    lanes.count(sent)
    lanes.refuse(full)
    routing.table.changed = True


def sticky(table: RouteTable, request: Request) -> str:
    """What decides where routes are split: all steps of a sequence go one way."""
    if table.sequences:
        stamp(request)
    return request.sequence_id or request.key or request.id


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
