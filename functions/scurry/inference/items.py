"""Members of a batch: what each request brings, checked alone.

A request that is wrong, late, or whose payload is missing fails alone. Pure: payloads come in as values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from scurry.protocols.cluster_serving import decode_request as decode_record
from scurry.protocols.oip_json import decode_request
from scurry.wire.errors import Failed, InvalidRequest, ScurryError, Unavailable
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS
from scurry.wire.names import Keys
from scurry.wire.sequences import PARAMETERS
from scurry.wire.tensors import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scurry.inference.layouts import InputLayout, LayoutCache
    from scurry.wire.messages_pb2 import Request

NOT_HERE: Final = "priority"
"""What the gateway has made a field of the stream entry; a worker is too late for it."""

KEYS: Final = Keys()

Buffer = bytes | memoryview
Piece = tuple[tuple[int, ...], Buffer]
"""Shape and bytes of one output for one request."""


class BatchItem:
    """One request in a batch: what it brings, then what it gets. Most keep most of what they begin with."""

    layout: InputLayout | None = None
    data: Sequence[Buffer] = ()
    wanted: tuple[int, ...] | None = None  # None: every output
    needs: list[tuple[int, str]] | None = None  # (input, key) of what is parked; input -1: the body
    consumed: Sequence[str] = ()
    failure: ScurryError | None = None
    cached = False  # its outputs were there already
    added = False  # a batch dimension was put before its inputs
    outputs: Sequence[Piece] = ()
    body = b""
    payload = ""  # key of a parked body
    parked: Sequence[str] = ()  # keys of all that was parked for the answer

    def __init__(self, request: Request) -> None:
        self.request = request

    def fail(self, cause: Exception) -> None:
        """Note why this request gets no answer; what is no failure that callers know is a fault of ours."""
        fault = Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}")
        self.failure = cause.kept() if isinstance(cause, ScurryError) else fault
        self.needs = None

    def __repr__(self) -> str:
        state = self.failure or ("waits for payloads" if self.needs else "claimed" if self.layout else "new")
        return f"<BatchItem {self.request.id}: {state}>"


def claim(requests: Iterable[Request], layouts: LayoutCache, keys: Keys = KEYS) -> list[BatchItem]:
    """An item for each request, checked, or failed, or waiting for what is parked."""
    items = []
    size, known = -1, None
    for request in requests:
        item = BatchItem(request)
        items.append(item)
        body = request.body
        if known is None or len(body) != size:
            size = len(body)
            known = layouts.beginning(size)
        if known is not None and body.startswith(known[0]) and not request.encoding:
            item.layout = known[1]
            item.data = (body[len(known[0]) :],)
        elif layouts.step is not None and body.startswith(layouts.step[0]) and not request.encoding:
            _read_step(item, body, layouts, keys)
        elif request.payload and not body:
            _ask_for(item, [(-1, request.payload)], keys)
        else:
            _read(item, body, layouts, keys)
    return items


def keys_needed(items: Iterable[BatchItem]) -> list[str]:
    """Keys of all that is parked and not here yet, each once."""
    return list(dict.fromkeys(key for item in items if item.needs for _, key in item.needs))


def supply(
    items: Iterable[BatchItem], found: Mapping[str, Buffer | None], layouts: LayoutCache, keys: Keys = KEYS
) -> None:
    """Hand out what was parked. A body that was parked may itself need more."""
    for item in items:
        if not item.needs:
            continue
        needs, item.needs = item.needs, None
        missing = next((key for _, key in needs if found.get(key) is None), None)
        if missing is not None:
            item.failure = InvalidRequest(
                "payload_missing", f"Nothing is parked under {missing!r}: it has expired or was never written."
            )
        elif needs[0][0] < 0:
            _read(item, bytes(found[needs[0][1]] or b""), layouts, keys)
        else:
            _fill(item, needs, found, layouts)


def fail_waiting(items: Iterable[BatchItem], failure: ScurryError) -> None:
    """Fail those whose payloads cannot be fetched."""
    for item in items:
        if item.needs:
            item.fail(failure)


def drop_late(items: Sequence[BatchItem], now_ms: int) -> Sequence[BatchItem]:
    """Fail what nobody waits for any more; returns the others."""
    late = False
    for item in items:
        deadline = item.request.deadline
        if deadline and deadline < now_ms and item.failure is None:
            item.needs = None
            item.failure = Unavailable("deadline_exceeded", f"The deadline passed {now_ms - deadline} ms ago.")
            late = True
    return [item for item in items if item.failure is None] if late else items


def _ask_for(item: BatchItem, needs: list[tuple[int, str]], keys: Keys) -> None:
    """Note what is parked for an item, if all of it is its own: what others parked is neither read nor deleted."""
    foreign = next((key for _, key in needs if not keys.owns(item.request.id, key)), None)
    if foreign is not None:
        sentence = f"Payload key {foreign!r} is not this request's own: those begin with its namespace and id."
        item.fail(InvalidRequest("not_allowed", sentence))
        return
    item.needs = needs
    item.consumed = [*item.consumed, *(key for _, key in needs)]


def _fill(
    item: BatchItem, needs: Sequence[tuple[int, str]], found: Mapping[str, Buffer | None], layouts: LayoutCache
) -> None:
    data = list(item.data)
    for at, key in needs:
        data[at] = found[key] or b""
    item.data = data
    try:
        _check_sizes(item, layouts)
    except Exception as cause:
        item.fail(cause)


def _read(item: BatchItem, body: bytes, layouts: LayoutCache, keys: Keys) -> None:
    """Parse a body and check it; a failure stays with its item."""
    try:
        request = _parsed(item, body, layouts)
        if request.parameters:
            _refuse_promises(request, keeps_sequences=layouts.keeps_sequences)
        layout = layouts.check(request)
        item.layout = layouts.told(layout, request) if request.parameters else layout
        item.wanted = layouts.wanted(request.outputs) if request.outputs else None
        tensors = [request.inputs[at] for at in layout.order]
        needs = [(at, each.payload) for at, each in enumerate(tensors) if each.payload]
        item.data = [each.data for each in tensors]
        if needs:
            _ask_for(item, needs, keys)
        else:
            _check_sizes(item, layouts)
            if not item.request.encoding:
                if layouts.keeps_sequences and not layouts.takes_parameters:
                    layouts.remember_step(body, request, layout)
                layouts.remember(body, request, layout)
    except DecodeError:
        item.failure = InvalidRequest("bad_request", "The request's body is not a serialised InferRequest.")
    except Exception as cause:  # whatever a body provokes, it is its own request that fails
        item.fail(cause)


def _parsed(item: BatchItem, body: bytes, layouts: LayoutCache) -> InferRequest:
    """What a body asks for, in whichever encoding it came."""
    encoding = item.request.encoding
    if not encoding:
        return InferRequest.FromString(body)
    if encoding == ENCODING_INPUTS:
        return decode_request(body)
    batched = item.request.batched
    request, item.added = decode_record(body, encoding, layouts.inputs, batched=batched)
    return request


def _read_step(item: BatchItem, body: bytes, layouts: LayoutCache, keys: Keys) -> None:
    """A body that begins as the last step's did; what stands behind its data may be parameters."""
    beginning, size, layout = layouts.step or (b"", 0, None)
    end = len(beginning) + size
    try:
        rest = InferRequest.FromString(body[end:])
    except DecodeError:
        rest = InferRequest(outputs=[""])
    if len(body) < end or rest.inputs or rest.outputs or NOT_HERE in rest.parameters:
        _read(item, body, layouts, keys)
    else:
        item.layout, item.data = layout, (body[len(beginning) : end],)


def _refuse_promises(request: InferRequest, *, keeps_sequences: bool) -> None:
    """Nobody is told yes who asks for what does not work here. 0, false and empty ask for nothing."""
    for name in () if keeps_sequences else PARAMETERS:
        if name in request.parameters:
            given = request.parameters[name]
            if getattr(given, given.WhichOneof("value") or "bool_value"):
                what = f"Parameter {name!r} is for models with sequence_batching, unlike this: send it without."
                raise InvalidRequest("bad_request", what)
    if NOT_HERE in request.parameters and request.parameters[NOT_HERE].int_value:
        sentence = f"Parameter {NOT_HERE!r} has no effect in a body: over Redis it is a field of the stream entry."
        raise InvalidRequest("bad_request", sentence)


def _check_sizes(item: BatchItem, layouts: LayoutCache) -> None:
    layout: InputLayout = item.layout  # type: ignore[assignment]
    for port, shape, size, data in zip(layouts.inputs, layout.shapes, layout.sizes, item.data, strict=True):
        if size < 0:
            from_bytes(port.name, port.datatype, shape, data)
        elif size != len(data):
            raise InvalidRequest(
                "input_shape",
                f"Input {port.name!r} says {port.datatype} {list(shape)}, {size} bytes, but carries {len(data)}.",
            )
