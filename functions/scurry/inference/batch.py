"""A batch: claim what each request brings, stack, run the model once, split.

One bad request fails alone: each is checked before it is stacked, and the members of a batch that the model refuses
are run again singly. Pure but for the model itself: payloads come in and go out as values.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from google.protobuf.message import DecodeError

from scurry.wire.errors import Failed, InvalidRequest, ScurryError, Unavailable
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS
from scurry.wire.oip import decode_request
from scurry.wire.tensors import DTYPES, Array, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scurry.inference.forms import Form, Forms
    from scurry.runtimes.runtime import Port, Runtime
    from scurry.wire.messages_pb2 import Request

Buffer = bytes | memoryview
Piece = tuple[tuple[int, ...], Buffer]
"""Shape and bytes of one output for one request."""
COPIED_BYTES: Final = 64 * 1024
"""Outputs up to this are copied out of numpy's hands once: slices of bytes are cheaper than views."""


class Member:
    """One request in a batch: what it brings, then what it gets."""

    __slots__ = (
        "body",
        "consumed",
        "data",
        "failure",
        "form",
        "needs",
        "outputs",
        "parked",
        "payload",
        "request",
        "wanted",
    )

    def __init__(self, request: Request) -> None:
        self.request = request
        self.form: Form | None = None
        self.data: Sequence[Buffer] = ()
        self.wanted: tuple[int, ...] | None = None  # None: every output
        self.needs: list[tuple[int, str]] | None = None  # (input, key) of what is parked; input -1: the body
        self.consumed: Sequence[str] = ()
        self.failure: ScurryError | None = None
        self.outputs: Sequence[Piece] = ()
        self.body = b""
        self.payload = ""  # key of a parked body
        self.parked: Sequence[str] = ()  # keys of all that was parked for the answer

    def __repr__(self) -> str:
        state = self.failure or ("waits for payloads" if self.needs else "claimed" if self.form else "new")
        return f"<Member {self.request.id}: {state}>"


def claim(requests: Iterable[Request], forms: Forms) -> list[Member]:
    """A member for each request, checked, or failed, or waiting for what is parked."""
    members = []
    recognise = forms.recognise
    for request in requests:
        member = Member(request)
        members.append(member)
        body = request.body
        known = None if request.encoding else recognise(body)
        if known is not None:
            member.form, data = known
            member.data = (data,)
        elif request.payload and not body:
            member.needs, member.consumed = [(-1, request.payload)], [request.payload]
        else:
            _read(member, body, forms)
    return members


def keys_needed(members: Iterable[Member]) -> list[str]:
    """Keys of all that is parked and not here yet, each once."""
    return list(dict.fromkeys(key for member in members if member.needs for _, key in member.needs))


def supply(members: Iterable[Member], found: Mapping[str, bytes | None], forms: Forms) -> None:
    """Hand out what was parked. A body that was parked may itself need more."""
    for member in members:
        if not member.needs:
            continue
        needs, member.needs = member.needs, None
        missing = next((key for _, key in needs if found.get(key) is None), None)
        if missing is not None:
            member.failure = InvalidRequest(
                "payload_missing", f"Nothing is parked under {missing!r}: it has expired or was never written."
            )
        elif needs[0][0] < 0:
            _read(member, found[needs[0][1]] or b"", forms)
        else:
            _fill(member, needs, found, forms)


def drop_late(members: Iterable[Member], now_ms: int) -> None:
    """Fail what nobody waits for any more."""
    for member in members:
        deadline = member.request.deadline
        if deadline and deadline < now_ms and member.failure is None:
            member.needs = None
            member.failure = Unavailable("deadline_exceeded", f"The deadline passed {now_ms - deadline} ms ago.")


def batches(members: Sequence[Member], limit: int, *, batched: bool) -> list[list[Member]]:
    """Members that go into one model call together, at most `limit` rows; a larger request goes alone."""
    ready = [member for member in members if member.failure is None and member.needs is None]
    if not batched or limit <= 1:
        return [[member] for member in ready]
    groups: dict[Any, list[list[Member]]] = {}
    filled: dict[Any, int] = {}
    for member in ready:
        form: Form = member.form  # type: ignore[assignment]
        rows = filled.get(form.group, limit) + form.rows
        if rows > limit:
            groups.setdefault(form.group, []).append([])
            rows = form.rows
        groups[form.group][-1].append(member)
        filled[form.group] = rows
    return [batch for group in groups.values() for batch in group]


def run(model: Runtime, forms: Forms, batch: Sequence[Member]) -> None:
    """One model call for members of one group; singly when it fails."""
    try:
        split(forms, batch, model.run(stack(forms, batch)))
    except Exception as cause:
        if len(batch) == 1:
            fault = Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}")
            batch[0].failure = cause if isinstance(cause, ScurryError) else fault
            return
        for member in batch:
            run(model, forms, [member])


def stack(forms: Forms, batch: Sequence[Member]) -> list[Array]:
    """The model's inputs: one copy for each, none for a member alone."""
    first: Form = batch[0].form  # type: ignore[assignment]
    if len(batch) == 1:
        return [
            from_bytes(port.name, port.datatype, shape, data)
            for port, shape, data in zip(forms.inputs, first.shapes, batch[0].data, strict=True)
        ]
    arrays: list[Array] = []
    for at, port in enumerate(forms.inputs):
        if port.datatype == "BYTES":
            arrays.append(np.concatenate([stack(forms, [member])[at] for member in batch]))
        else:
            # A bytearray, because some frameworks share only memory that may be written to.
            joined = bytearray().join([member.data[at] for member in batch])
            arrays.append(np.frombuffer(joined, DTYPES[port.datatype]).reshape(-1, *first.shapes[at][1:]))
    return arrays


def split(forms: Forms, batch: Sequence[Member], outputs: Sequence[Array]) -> None:
    """Give each member its rows of every output. Raises `model_failed` when there are not as many as went in."""
    if len(batch) == 1:
        batch[0].outputs = [
            (each.shape, _packed(each, port)) for each, port in zip(outputs, forms.outputs, strict=True)
        ]
        return
    counts = [member.form.rows for member in batch]  # type: ignore[union-attr]
    total = sum(counts)
    if any(each.ndim == 0 or each.shape[0] != total for each in outputs):
        raise Failed("model_failed", f"The model did not answer {total} rows with as many.")
    columns = [_column(array, port, counts) for array, port in zip(outputs, forms.outputs, strict=True)]
    for member, *pieces in zip(batch, *columns, strict=True):
        member.outputs = pieces


def _fill(member: Member, needs: Sequence[tuple[int, str]], found: Mapping[str, bytes | None], forms: Forms) -> None:
    data = list(member.data)
    for at, key in needs:
        data[at] = found[key] or b""
    member.data = data
    try:
        _check_sizes(member, forms)
    except ScurryError as failure:
        member.failure = failure


def _column(array: Array, port: Port, counts: Sequence[int]) -> list[Piece]:
    """One output, cut into the members' rows."""
    tail = array.shape[1:]
    pieces: list[Piece] = []
    start = 0
    if port.datatype == "BYTES":
        for rows in counts:
            pieces.append(((rows, *tail), to_bytes(array[start : start + rows], "BYTES")))
            start += rows
        return pieces
    packed, size = _packed(array, port), prod(tail) * array.itemsize
    shapes = {rows: (rows, *tail) for rows in set(counts)}
    for rows in counts:
        end = start + rows * size
        pieces.append((shapes[rows], packed[start:end]))
        start = end
    return pieces


def _packed(array: Array, port: Port) -> Buffer:
    """Row-major bytes; large arrays are not copied."""
    if port.datatype == "BYTES" or array.nbytes <= COPIED_BYTES:
        return to_bytes(array, port.datatype)
    plain = np.ascontiguousarray(array, DTYPES[port.datatype])
    return plain.reshape(-1).view(np.uint8).data


def _read(member: Member, body: bytes, forms: Forms) -> None:
    """Parse a body and check it; a failure stays with its member."""
    try:
        encoded = member.request.encoding == ENCODING_INPUTS
        request = decode_request(body) if encoded else InferRequest.FromString(body)
        form = member.form = forms.check(request)
        member.wanted = forms.wanted(request.outputs) if request.outputs else None
        tensors = [request.inputs[at] for at in form.order]
        needs = [(at, each.payload) for at, each in enumerate(tensors) if each.payload]
        member.data = [each.data for each in tensors]
        if needs:
            member.needs = needs
            member.consumed = [*member.consumed, *(key for _, key in needs)]
        else:
            _check_sizes(member, forms)
            if not encoded:
                forms.remember(body, request, form)
    except ScurryError as failure:
        member.failure = failure
    except DecodeError:
        member.failure = InvalidRequest("bad_request", "The request's body is not a serialised InferRequest.")


def _check_sizes(member: Member, forms: Forms) -> None:
    form: Form = member.form  # type: ignore[assignment]
    for port, shape, size, data in zip(forms.inputs, form.shapes, form.sizes, member.data, strict=True):
        if size < 0:
            from_bytes(port.name, port.datatype, shape, data)
        elif size != len(data):
            raise InvalidRequest(
                "input_shape",
                f"Input {port.name!r} says {port.datatype} {list(shape)}, {size} bytes, but carries {len(data)}.",
            )
